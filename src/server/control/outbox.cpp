#include "server/control/outbox.hpp"

#include <utility>

namespace portunus::server::control {

void Outbox::begin(Contents replay, bool mark_end) {
  replay_.emplace_back(Welcome{});
  for (std::string& user : replay.quotas) {
    quotas_.insert(user);
    replay_.emplace_back(Quota{std::move(user)});
  }
  for (std::string& owner : replay.owner_caps) {
    owner_caps_.insert(owner);
    replay_.emplace_back(OwnerCaps{std::move(owner)});
  }
  for (const model::RuleSpec& rule : replay.rules) replay_.emplace_back(Replay{rule.id});
  if (mark_end) replay_.emplace_back(ReplayEnd{});
}

bool Outbox::add(Item change) {
  if (changes_.size() >= kMaxChanges) return false;
  changes_.push_back(std::move(change));
  return true;
}

bool Outbox::push(std::string_view request_id, const model::RuleSpec& rule) {
  return add(Push{std::string(request_id), rule});
}

bool Outbox::remove(std::string_view request_id, RuleId rule) {
  return add(Remove{std::string(request_id), rule});
}

bool Outbox::quota_changed(std::string_view user_id) {
  if (quotas_.contains(user_id)) return true;
  if (!add(Quota{std::string(user_id)})) return false;
  quotas_.emplace(user_id);
  return true;
}

bool Outbox::owner_caps_changed(std::string_view owner_id) {
  if (owner_caps_.contains(owner_id)) return true;
  if (!add(OwnerCaps{std::string(owner_id)})) return false;
  owner_caps_.emplace(owner_id);
  return true;
}

void Outbox::forget(const Item& item) {
  if (const auto* quota = std::get_if<Quota>(&item)) quotas_.erase(quota->user_id);
  if (const auto* caps = std::get_if<OwnerCaps>(&item)) owner_caps_.erase(caps->owner_id);
}

std::optional<Outbox::Item> Outbox::take() {
  std::deque<Item>& queue = replay_.empty() ? changes_ : replay_;
  if (queue.empty()) return std::nullopt;
  Item item = std::move(queue.front());
  queue.pop_front();
  forget(item);
  return item;
}

}  // namespace portunus::server::control
