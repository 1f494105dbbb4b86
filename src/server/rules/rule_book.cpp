#include "server/rules/rule_book.hpp"

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

std::vector<model::RuleSpec> RuleBook::start_replay(std::string_view client_id) {
  std::vector<model::RuleSpec> out;
  for (auto& [id, entry] : entries_) {
    if (entry.row.client_id != client_id || entry.row.state == RuleState::failed) continue;
    entry.row.state = RuleState::pending;
    out.push_back(entry.row.spec);
  }
  return out;
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
