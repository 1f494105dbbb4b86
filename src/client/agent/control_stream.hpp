#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <memory>
#include <variant>

#include "client/agent/grpc_events.hpp"
#include "client/agent/inbox.hpp"
#include "common/base/secret.hpp"
#include "portunus/v1/control.pb.h"

namespace portunus::client::agent {

/// What can happen to a stream, in order; Closed is the last.
struct MessageArrived {
  v1::ServerMessage message;
};
/// A write with a report inside left the process, or did not (control-wire section 8).
struct ReportWritten {
  std::uint64_t report;
  bool delivered;
};
struct StreamClosed {
  grpc::Status status;
};
/// Pushed by the inbox's owner to look around.
struct Woken {};
using StreamEvent = std::variant<MessageArrived, ReportWritten, StreamClosed, Woken>;

/// One `Control/Channel` call: one read outstanding (the next is asked for by read_on(), so a
/// server cannot outrun us), one write in flight behind a bounded queue.
///
/// What happens goes to an inbox, which must live until StreamClosed was pushed to it; the object
/// keeps itself alive until then. Used on the executor of its GrpcEvents only.
class ControlStream : public std::enable_shared_from_this<ControlStream> {
 public:
  /// Starts the call and writes `hello` at once, without waiting for the server's headers (5.1).
  static std::shared_ptr<ControlStream> open(GrpcEvents& events,
                                             const std::shared_ptr<grpc::Channel>& channel,
                                             const Secret& token, const v1::ClientMessage& hello,
                                             Inbox<StreamEvent>& inbox);
  virtual ~ControlStream() = default;

  /// Asks for the next message; once per MessageArrived.
  virtual void read_on() = 0;
  /// Queues a message; false when the queue is full or the call is over. With `report` not 0 its
  /// fate comes back as ReportWritten.
  virtual bool send(v1::ClientMessage message, std::uint64_t report) = 0;
  /// Closes our side once the queue is written.
  virtual void finish() = 0;
  /// Ends the call now.
  virtual void cancel() = 0;
};

}  // namespace portunus::client::agent
