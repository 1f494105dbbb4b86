#include "server/control/outbox.hpp"

#include <utility>

namespace portunus::server::control {

void Outbox::begin(std::span<const model::RuleSpec> rules, bool mark_end) {
  welcome_ = true;
  for (const model::RuleSpec& rule : rules) replay_.push_back(rule.id);
  mark_ = mark_end;
}

bool Outbox::push(std::string_view request_id, const model::RuleSpec& rule) {
  if (changes_.size() >= kMaxChanges) return false;
  changes_.emplace_back(Push{std::string(request_id), rule});
  return true;
}

bool Outbox::remove(std::string_view request_id, RuleId rule) {
  if (changes_.size() >= kMaxChanges) return false;
  changes_.emplace_back(Remove{std::string(request_id), rule});
  return true;
}

std::optional<Outbox::Item> Outbox::take() {
  if (std::exchange(welcome_, false)) return Welcome{};
  if (!replay_.empty()) {
    const RuleId rule = replay_.front();
    replay_.pop_front();
    return Replay{rule};
  }
  if (std::exchange(mark_, false)) return ReplayEnd{};
  if (changes_.empty()) return std::nullopt;
  Item item = std::move(changes_.front());
  changes_.pop_front();
  return item;
}

}  // namespace portunus::server::control
