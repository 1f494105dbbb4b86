#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>

#include "client/agent/edge_actions.hpp"
#include "client/agent/owner_terms.hpp"
#include "common/base/clock.hpp"
#include "common/base/ids.hpp"
#include "common/model/rule.hpp"
#include "portunus/v1/control.pb.h"

namespace portunus::client::agent {

/// What an edge runs and what its server wants of it: the client's half of the session protocol
/// (control-wire 5, 6 and 7) without any I/O. Rules, limits and quotas live longer than sessions
/// (D7); begin_session() starts the next one, whose replay is reconciled with what is in force.
///
/// One thread. Actions are carried out in their order; input is fed one at a time.
class EdgeState {
 public:
  /// `replay_quiet`: when the replay of a server that never marks its end counts as ended.
  explicit EdgeState(std::chrono::steady_clock::duration replay_quiet = std::chrono::seconds(10))
      : replay_quiet_(replay_quiet) {}

  void begin_session();
  /// The stream is gone: until the next one, nobody can be told anything.
  void end_session();
  Actions on_message(const v1::ServerMessage& message, SteadyTime now);
  /// How the last Activate went; the error is the FAILED reason.
  Actions on_activated(const std::expected<void, std::string>& result);
  Actions on_removed(std::uint64_t ticket);
  /// True from the Activate of a rule until its removal or death.
  bool runs(RuleId id) const;
  /// A live rule died by itself, and nothing of it is left (LIFE-5). At any time.
  Actions on_rule_failed(RuleId id, const std::string& reason);
  /// To be called at deadline().
  Actions on_time(SteadyTime now);
  std::optional<SteadyTime> deadline() const;
  /// Drains everything, for the end of the process.
  Actions remove_all();

  /// The last session got its Welcome.
  bool established() const { return established_; }
  bool replaying() const { return replaying_; }
  /// Live rules: activated and not being removed.
  std::size_t live() const { return live_.size(); }
  /// Removals not yet answered by on_removed().
  std::size_t draining() const { return draining_.size(); }

 private:
  struct LiveRule {
    model::RuleSpec spec;
    model::UdpSettings udp;
    /// Of the last PUSH, in whatever session it came.
    std::string request_id;
    /// Part of this session's replay.
    bool confirmed = false;
    /// Its port was in SNI mode when it came, which lasts as long as it stays (SNI-2).
    bool in_sni_group = false;
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
    model::UdpSettings udp;
    std::string request_id;
    /// Why it died before it was known to have started.
    std::optional<std::string> died = {};
  };
  /// Died while nobody could be told.
  struct Untold {
    model::RuleSpec spec;
    std::string reason;
  };
  using LiveRules = std::map<RuleId, LiveRule>;

  void welcome(const v1::Welcome& message, SteadyTime now, Actions& out);
  void on_update(const v1::RuleUpdate& update, SteadyTime now, Actions& out);
  void on_push(const v1::RuleUpdate& update, Actions& out);
  void on_remove(const v1::RuleUpdate& update, Actions& out);
  void refuse(const v1::RuleUpdate& update, const std::string& reason, Actions& out);
  void adopt(LiveRule& rule, const v1::RuleUpdate& update, model::RuleSpec spec, Actions& out);
  bool told_late(const model::RuleSpec& spec, const std::string& request_id, Actions& out);
  void free_ports(const model::RuleSpec& spec, Actions& out);
  bool joins_sni_group(const model::RuleSpec& spec) const;
  void tear_down(LiveRules::iterator rule, Draining draining, Actions& out);
  void tear_down_unasked(LiveRules::iterator rule, Actions& out);
  void end_replay(Actions& out);

  std::chrono::steady_clock::duration replay_quiet_;
  LiveRules live_;
  std::map<std::uint64_t, Draining> draining_;
  std::map<RuleId, Untold> untold_;
  OwnerTerms owners_;
  std::uint64_t last_ticket_ = 0;
  std::optional<Pending> pending_;
  /// Of the last Welcome.
  model::UdpSettings udp_;
  bool connected_ = false;
  bool established_ = false;
  bool replaying_ = false;
  SteadyTime replay_ends_{};
};

}  // namespace portunus::client::agent
