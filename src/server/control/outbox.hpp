#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/ids.hpp"
#include "common/model/rule.hpp"

namespace portunus::server::control {

/// What one session still has to send, in order: Welcome, the replay of quotas, owner caps and
/// rules, its end mark, then the changes made since, in the order they were made (control-wire 5.1,
/// 6.2). It is drained as the stream takes messages. The replay is kept as ids only, and so are
/// changes of quotas and owner caps: each is looked up when its turn comes, so that what is removed
/// or changed meanwhile never goes out as it was. One thread.
class Outbox {
 public:
  /// Changes that may wait behind the replay. An edge that is this far behind gains more from a
  /// new session, whose replay is the truth, than from the backlog.
  static constexpr std::size_t kMaxChanges = 8192;

  struct Welcome {};
  /// The user's quota as it stands, or that there is none.
  struct Quota {
    std::string user_id;
  };
  /// The owner's caps as they stand, or that there are none.
  struct OwnerCaps {
    std::string owner_id;
  };
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
  using Item = std::variant<Welcome, Quota, OwnerCaps, Replay, ReplayEnd, Push, Remove>;

  /// What a session begins with, each in its order.
  struct Contents {
    std::vector<std::string> quotas;      ///< users
    std::vector<std::string> owner_caps;  ///< owners
    std::vector<model::RuleSpec> rules;
  };
  /// Once per session. `mark_end`: the client understands replay_complete.
  void begin(Contents replay, bool mark_end);

  /// False when kMaxChanges already wait: the change is not queued.
  [[nodiscard]] bool push(std::string_view request_id, const model::RuleSpec& rule);
  [[nodiscard]] bool remove(std::string_view request_id, RuleId rule);
  /// One that waits for its turn needs no second one.
  [[nodiscard]] bool quota_changed(std::string_view user_id);
  [[nodiscard]] bool owner_caps_changed(std::string_view owner_id);

  /// The next one, in order.
  std::optional<Item> take();

  /// True until the last item of Welcome and replay was taken.
  bool replaying() const { return !replay_.empty(); }

 private:
  bool add(Item change);
  /// What has its turn waits no longer.
  void forget(const Item& item);

  std::deque<Item> replay_;
  std::deque<Item> changes_;
  /// Whose quota and whose caps wait in either queue.
  std::set<std::string, std::less<>> quotas_;
  std::set<std::string, std::less<>> owner_caps_;
};

}  // namespace portunus::server::control
