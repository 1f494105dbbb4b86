#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/ids.hpp"
#include "common/model/rule.hpp"
#include "portunus/v1/control.pb.h"

namespace portunus::client::agent {

/// The session stands.
struct Established {
  v1::Welcome welcome;
};
/// Start a rule; answered by on_activated() before anything else is fed in.
struct Activate {
  model::RuleSpec rule;
};
/// Drain a rule; answered by on_removed() whenever that is done, in this session or a later one.
/// `replaced`: the same id is activated next, and its counters go on.
struct Remove {
  RuleId id;
  std::uint64_t ticket;
  bool replaced;
};
/// Tell the server.
struct SendStatus {
  v1::RuleStatus status;
};
/// End the attempt and try again.
struct GiveUp {
  std::string error;
};
using Action = std::variant<Established, Activate, Remove, SendStatus, GiveUp>;
using Actions = std::vector<Action>;

/// What an edge runs and what its server wants of it: the client's half of the session protocol
/// (control-wire 5 and 6) without any I/O. Rules live longer than sessions (D7); begin_session()
/// starts the next one, whose replay is reconciled with what runs.
///
/// One thread. Actions are carried out in their order; input is fed one at a time.
class EdgeState {
 public:
  /// `replay_quiet`: when the replay of a server that never marks its end counts as ended.
  explicit EdgeState(std::chrono::steady_clock::duration replay_quiet = std::chrono::seconds(10))
      : replay_quiet_(replay_quiet) {}

  void begin_session();
  Actions on_message(const v1::ServerMessage& message, SteadyTime now);
  /// How the last Activate went; the error is the FAILED reason.
  Actions on_activated(const std::expected<void, std::string>& result);
  Actions on_removed(std::uint64_t ticket);
  /// To be called at deadline().
  Actions on_time(SteadyTime now);
  std::optional<SteadyTime> deadline() const;
  /// Drains everything, for the end of the process.
  Actions remove_all();

  bool established() const { return established_; }
  bool replaying() const { return replaying_; }
  /// Live rules: activated and not being removed.
  std::size_t live() const { return live_.size(); }
  /// Removals not yet answered by on_removed().
  std::size_t draining() const { return draining_.size(); }

 private:
  struct LiveRule {
    model::RuleSpec spec;
    /// Of the last PUSH, in whatever session it came.
    std::string request_id;
    /// Part of this session's replay.
    bool confirmed = false;
  };
  struct Draining {
    RuleId id;
    std::string request_id;
    enum class Answer {
      always,       ///< a REMOVE asked for it
      unless_live,  ///< nobody asked: silent when the id runs again by then
      never,        ///< the teardown was told in another way
    } answer;
  };
  struct Pending {
    model::RuleSpec spec;
    std::string request_id;
  };
  using LiveRules = std::map<RuleId, LiveRule>;

  Actions on_update(const v1::RuleUpdate& update, SteadyTime now);
  void on_push(const v1::RuleUpdate& update, Actions& out);
  void on_remove(const v1::RuleUpdate& update, Actions& out);
  void refuse(const v1::RuleUpdate& update, const std::string& reason, Actions& out);
  void adopt(LiveRule& rule, const v1::RuleUpdate& update, model::RuleSpec spec, Actions& out);
  void free_port(const model::RuleSpec& spec, Actions& out);
  void tear_down(LiveRules::iterator rule, Draining draining, Actions& out);
  void end_replay(Actions& out);

  std::chrono::steady_clock::duration replay_quiet_;
  LiveRules live_;
  std::map<std::uint64_t, Draining> draining_;
  std::uint64_t last_ticket_ = 0;
  std::optional<Pending> pending_;
  bool established_ = false;
  bool replaying_ = false;
  SteadyTime replay_ends_{};
};

}  // namespace portunus::client::agent
