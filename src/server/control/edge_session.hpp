#pragma once

#include <grpcpp/support/status.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/ids.hpp"
#include "common/model/rule.hpp"
#include "portunus/v1/control.pb.h"
#include "server/control/outbox.hpp"
#include "server/control/ports.hpp"
#include "server/control/server_messages.hpp"
#include "server/owner_caps/owner_cap_sink.hpp"
#include "server/quotas/quota_sink.hpp"
#include "server/rules/rule_sink.hpp"

namespace portunus::server::control {

/// The protocol of one control session, from its registration on (control-wire 5, 6): a state
/// machine over decoded messages, without I/O, timers or gRPC calls. It is told what arrives and
/// what became of the stream, gives the messages to send through next(), and calls `wake` whenever
/// there is something new to send or the session is over. Domain executor. It logs the client.*
/// events. After its end every input is ignored, so late messages of a replaced stream do nothing.
class EdgeSession {
 public:
  struct Identity {
    SessionId id;
    std::string client_id;
    std::string client_name;
    std::string remote_addr;
    SystemTime connected_at;
  };
  EdgeSession(Identity identity, RuleFeed& rules, const LimitFeed& limits, const Clock& clock,
              WelcomeSettings settings);
  EdgeSession(const EdgeSession&) = delete;
  EdgeSession& operator=(const EdgeSession&) = delete;

  /// Set once, before anything else.
  void set_wake(std::function<void()> wake) { wake_ = std::move(wake); }

  // What the stream saw.
  void on_message(v1::ClientMessage message);
  /// The read side ended. Whether the client closed it or the transport broke is known only
  /// later: on_broken() or on_done() says which, and is logged then.
  void on_read_end();
  void on_broken(std::string_view error);
  void on_done();
  void on_hello_timeout();

  // What the domain wants. Each is false when the session is not live (any more).
  bool push(std::string_view request_id, const model::RuleSpec& rule);
  bool remove(std::string_view request_id, RuleId rule);
  quotas::QuotaSink::Told quota_changed(std::string_view user_id);
  owner_caps::OwnerCapSink::Told owner_caps_changed(std::string_view owner_id);
  /// Ends the session for one of the reasons of control-wire 5.2.
  bool end(std::string_view reason);
  /// Later messages and lines carry the new name.
  void rename(std::string_view name) { identity_.client_name = name; }

  // What the stream shall do.
  std::optional<v1::ServerMessage> next();
  /// False while a first message that was no Hello waits for the end of the replay.
  bool wants_message() const { return state_ <= State::live && !held_; }
  /// How to finish the stream; nothing while the session goes on.
  const std::optional<grpc::Status>& verdict() const { return verdict_; }

  const Identity& identity() const { return identity_; }
  /// The first message was read: rules may be pushed.
  bool live() const { return state_ == State::live; }
  const rules::ClientCapabilities& capabilities() const { return capabilities_; }

 private:
  enum class State : std::uint8_t { opening, live, leaving, over };

  void open(v1::ClientMessage first);
  /// What this client has to be told first, and can understand.
  Outbox::Contents replay() const;
  /// After an attempt to queue a change: wakes the stream, or ends the session and is false.
  bool queued(bool done);
  void process(const v1::ClientMessage& message);
  void on_status(const v1::RuleStatus& status);
  void on_report(const v1::StatsReport& report);
  /// The message; nothing for a rule that was removed before its turn in the replay.
  using Encoded = std::optional<v1::ServerMessage>;
  Encoded encode(const Outbox::Welcome& welcome) const;
  Encoded encode(const Outbox::Quota& quota) const;
  Encoded encode(const Outbox::OwnerCaps& caps) const;
  Encoded encode(const Outbox::Replay& replay) const;
  Encoded encode(const Outbox::ReplayEnd& end) const;
  Encoded encode(const Outbox::Push& push) const;
  Encoded encode(const Outbox::Remove& removal) const;
  /// The end: nothing comes in or goes out any more. The reason, if known, is logged.
  void leave(State state, grpc::Status verdict);
  void log_disconnected(std::string_view reason) const;
  void log_transport_error(std::string_view error) const;

  Identity identity_;
  RuleFeed& rules_;
  const LimitFeed& limits_;
  const Clock& clock_;
  WelcomeSettings settings_;
  std::function<void()> wake_;
  State state_ = State::opening;
  /// client.connected was logged and the replay begun; both want their counterpart.
  bool begun_ = false;
  rules::ClientCapabilities capabilities_;
  std::optional<v1::ClientMessage> held_;
  Outbox outbox_;
  std::optional<grpc::Status> verdict_;
};

}  // namespace portunus::server::control
