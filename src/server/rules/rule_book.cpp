#include "server/rules/rule_book.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace portunus::server::rules {

using store::RuleState;

namespace {

std::string key_of(const store::RuleRow& row) {
  return store::ClientRef{row.client_id, row.client_name}.key();
}

}  // namespace

void RuleBook::add(store::RuleRow row) {
  const RuleState state = row.state;
  const RuleId id = row.spec.id;
  Entry& entry = entries_[id];
  entry.row = std::move(row);
  entry.stored = state;
  clients_[key_of(entry.row)][id] = &entry;
}

void RuleBook::erase(RuleId id) {
  const auto it = entries_.find(id);
  if (it == entries_.end()) return;
  if (const auto client = clients_.find(key_of(it->second.row)); client != clients_.end()) {
    client->second.erase(id);
    if (client->second.empty()) clients_.erase(client);
  }
  entries_.erase(it);
  if (erased_) erased_(id);
}

RuleBook::Entry* RuleBook::find(RuleId id) {
  const auto it = entries_.find(id);
  return it == entries_.end() ? nullptr : &it->second;
}

const RuleBook::Entry* RuleBook::find(RuleId id) const {
  const auto it = entries_.find(id);
  return it == entries_.end() ? nullptr : &it->second;
}

void RuleBook::set_state(Entry& entry, RuleState state, std::string reason, SystemTime now) {
  entry.stored = state;
  entry.row.state = state;
  entry.row.failure_reason = state == RuleState::failed ? std::move(reason) : std::string();
  entry.row.last_state_change_at = now;
}

std::vector<RuleId> RuleBook::of_client(std::string_view client_id) const {
  std::vector<RuleId> out;
  each_of(client_id, [&out](const Entry& entry) { out.push_back(entry.row.spec.id); });
  return out;
}

std::vector<RuleBook::Entry*> RuleBook::start_replay(std::string_view client_id) {
  struct Turn {
    RuleId after;  ///< its own id, or that of the last rule it must wait for
    bool waits = false;
    Entry* entry = nullptr;
  };
  const auto client = clients_.find(client_id);
  if (client == clients_.end()) return {};
  std::vector<Turn> turns;
  std::map<std::uint16_t, RuleId> last_pattern;  // by port
  for (const auto& [id, entry] : client->second) {
    if (entry->row.state == RuleState::failed) continue;
    entry->row.state = RuleState::pending;
    turns.push_back({id, false, entry});
    if (entry->row.spec.sni_pattern) last_pattern[entry->row.spec.listen_port] = id;
  }
  for (Turn& turn : turns) {
    const model::RuleSpec& spec = turn.entry->row.spec;
    if (spec.sni_pattern || spec.protocol != model::Protocol::tcp) continue;
    for (auto it = last_pattern.lower_bound(spec.listen_port);
         it != last_pattern.end() && it->first <= spec.last_listen_port(); ++it) {
      if (it->second < turn.after) continue;
      turn.after = it->second;
      turn.waits = true;
    }
  }
  std::ranges::sort(turns, {}, [](const Turn& turn) {
    return std::tuple(turn.after, turn.waits, turn.entry->row.spec.id);
  });
  std::vector<Entry*> out;
  for (const Turn& turn : turns) out.push_back(turn.entry);
  return out;
}

bool RuleBook::has_sni_port(std::string_view client_id, std::uint16_t port) const {
  const auto client = clients_.find(client_id);
  if (client == clients_.end()) return false;
  return std::ranges::any_of(client->second, [port](const auto& item) {
    const model::RuleSpec& spec = item.second->row.spec;
    return spec.sni_pattern && spec.listen_port == port;
  });
}

void RuleBook::move(const std::string& from, const store::ClientRef& to) {
  const auto rules = clients_.extract(from);
  if (rules.empty()) return;
  OfClient& place = clients_[to.key()];
  for (const auto& [id, entry] : rules.mapped()) {
    entry->row.client_id = to.client_id;
    entry->row.client_name = to.client_name;
    place[id] = entry;
  }
}

void RuleBook::bind(std::string_view name, std::string_view client_id) {
  const store::ClientRef bare{std::nullopt, std::string(name)};
  move(bare.key(), {std::string(client_id), bare.client_name});
}

void RuleBook::rename(std::string_view client_id, std::string_view name) {
  const auto client = clients_.find(client_id);
  if (client == clients_.end()) return;
  for (const auto& [id, entry] : client->second) entry->row.client_name = name;
}

void RuleBook::unbind(std::string_view client_id) {
  const auto client = clients_.find(client_id);
  if (client == clients_.end()) return;
  // All of a client's rules have its one name.
  const std::string name = client->second.begin()->second->row.client_name;
  move(std::string(client_id), {std::nullopt, name});
}

}  // namespace portunus::server::rules
