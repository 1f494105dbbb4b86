#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>

#include "client/agent/control_stream.hpp"
#include "client/agent/grpc_events.hpp"
#include "client/agent/inbox.hpp"
#include "client/agent/options.hpp"
#include "client/agent/rule_applier.hpp"
#include "common/async/task.hpp"
#include "common/base/secret.hpp"

namespace portunus::client::agent {

/// One control session, from Hello to the end of its stream: feeds the rule applier with what the
/// server says and the server with statuses and reports. On the executor of its GrpcEvents.
class Session {
 public:
  struct End {
    grpc::Status status;
    /// Why we ended it ourselves; empty otherwise.
    std::string error;
  };

  Session(GrpcEvents& events, RuleApplier& applier, const AgentOptions& options);

  /// Returns when the stream has ended. After request_stop() it drains every rule, reports their
  /// last numbers and closes.
  async::Task<End> run(std::shared_ptr<grpc::Channel> channel, const Secret& token);
  void request_stop();

 private:
  v1::ClientMessage hello() const;
  SteadyTime next_deadline() const;
  async::Task<> on_deadline();
  async::Task<> on_message(const v1::ServerMessage& message);
  async::Task<> shut_down();
  void welcome(const v1::Welcome& message);
  void send_status(const v1::RuleStatus& status);
  void send_report();
  void give_up(std::string error);

  RuleApplier& applier_;
  const AgentOptions& options_;
  GrpcEvents& events_;
  Inbox<StreamEvent> inbox_;
  std::shared_ptr<ControlStream> stream_;
  /// When to give the stream up: waiting for the Welcome, or for its end.
  std::optional<SteadyTime> patience_;
  enum class Stopping { no, wanted, draining, finished } stopping_ = Stopping::no;
  End end_;
};

}  // namespace portunus::client::agent
