#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/ids.hpp"
#include "common/model/rule.hpp"

namespace portunus::server::control {

/// What one session still has to send, in order: Welcome, the replay, its end mark, then the
/// changes made since, in the order they were made (control-wire 5.1, 6.2). It is drained as the
/// stream takes messages. The replay is kept as ids only: a rule is looked up when its turn comes,
/// so that what is removed or changed meanwhile never goes out as it was. One thread.
class Outbox {
 public:
  /// Changes that may wait behind the replay. An edge that is this far behind gains more from a
  /// new session, whose replay is the truth, than from the backlog.
  static constexpr std::size_t kMaxChanges = 8192;

  struct Welcome {};
  struct Replay {
    RuleId rule;
  };
  struct ReplayEnd {};
  struct Push {
    std::string request_id;
    model::RuleSpec rule;
  };
  struct Remove {
    std::string request_id;
    RuleId rule;
  };
  using Item = std::variant<Welcome, Replay, ReplayEnd, Push, Remove>;

  /// Once per session. `mark_end`: the client understands replay_complete.
  void begin(std::span<const model::RuleSpec> rules, bool mark_end);

  /// False when kMaxChanges already wait: the change is not queued.
  [[nodiscard]] bool push(std::string_view request_id, const model::RuleSpec& rule);
  [[nodiscard]] bool remove(std::string_view request_id, RuleId rule);

  /// The next one, in order.
  std::optional<Item> take();

  /// True until the last item of Welcome and replay was taken.
  bool replaying() const { return welcome_ || !replay_.empty() || mark_; }

 private:
  bool welcome_ = false;
  std::deque<RuleId> replay_;
  bool mark_ = false;
  std::deque<Item> changes_;
};

}  // namespace portunus::server::control
