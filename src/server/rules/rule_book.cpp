#include "server/rules/rule_book.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace portunus::server::rules {

using store::RuleState;

void RuleBook::add(store::RuleRow row) {
  const RuleState state = row.state;
  const RuleId id = row.spec.id;
  Entry& entry = entries_[id];
  entry.row = std::move(row);
  entry.stored = state;
}

void RuleBook::erase(RuleId id) {
  if (entries_.erase(id) > 0 && erased_) erased_(id);
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
  for (const auto& [id, entry] : entries_) {
    if (entry.row.client_id == client_id) out.push_back(id);
  }
  return out;
}

std::vector<RuleBook::Entry*> RuleBook::start_replay(std::string_view client_id) {
  struct Turn {
    RuleId after;  ///< its own id, or that of the last rule it must wait for
    bool waits = false;
    Entry* entry = nullptr;
  };
  std::vector<Turn> turns;
  std::map<std::uint16_t, RuleId> last_pattern;  // by port
  for (auto& [id, entry] : entries_) {
    if (entry.row.client_id != client_id || entry.row.state == RuleState::failed) continue;
    entry.row.state = RuleState::pending;
    turns.push_back({id, false, &entry});
    if (entry.row.spec.sni_pattern) last_pattern[entry.row.spec.listen_port] = id;
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
  return std::ranges::any_of(entries_, [&](const auto& item) {
    const store::RuleRow& row = item.second.row;
    return row.client_id == client_id && row.spec.sni_pattern && row.spec.listen_port == port;
  });
}

void RuleBook::bind(std::string_view name, std::string_view client_id) {
  for (auto& [id, entry] : entries_) {
    if (!entry.row.client_id && entry.row.client_name == name) entry.row.client_id = client_id;
  }
}

void RuleBook::rename(std::string_view client_id, std::string_view name) {
  for (auto& [id, entry] : entries_) {
    if (entry.row.client_id == client_id) entry.row.client_name = name;
  }
}

void RuleBook::unbind(std::string_view client_id) {
  for (auto& [id, entry] : entries_) {
    if (entry.row.client_id == client_id) entry.row.client_id.reset();
  }
}

}  // namespace portunus::server::rules
