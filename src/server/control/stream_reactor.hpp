#pragma once

#include <grpcpp/support/server_callback.h>

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "portunus/v1/control.pb.h"
#include "server/control/write_queue.hpp"

namespace grpc {
class CallbackServerContext;
}

namespace portunus::server::control {

class EdgeLink;

/// gRPC's half of one Channel stream: moves decoded messages to the domain executor and writes what
/// the domain queued, one message in flight. No business here.
///
/// Lifetime: gRPC owns it from the moment the service returns it until OnDone, which cannot come
/// before finish(). Only the domain calls finish(), and drops its pointer with that call, so it
/// never holds a dead one; what gRPC's threads post carries the link, never this object.
class StreamReactor final : public grpc::ServerBidiReactor<v1::ClientMessage, v1::ServerMessage> {
 public:
  StreamReactor(boost::asio::any_io_executor domain, std::shared_ptr<EdgeLink> link,
                grpc::CallbackServerContext& context);

  // Domain executor only, none of it after finish().

  /// Asks for one more message; the link hears on_message() or on_read_end().
  void read();
  /// False when the queue is full; the link hears on_room() once it is half empty again.
  bool has_room() { return queue_.has_room(); }
  void write(v1::ServerMessage message);
  /// Drops what is not in flight and takes nothing more. False while a write is in flight: the
  /// link hears on_idle() when it ended.
  bool quiesce() { return queue_.close(); }
  /// Breaks the stream, for a peer that does not even take the message in flight.
  void cancel();
  /// The final status; nothing may be in flight.
  void finish(grpc::Status status);

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  template <class... Args>
  void tell(void (EdgeLink::*event)(Args...), Args... args);

  const boost::asio::any_io_executor domain_;
  std::shared_ptr<EdgeLink> link_;
  grpc::CallbackServerContext& context_;
  v1::ClientMessage incoming_;
  WriteQueue queue_;
};

}  // namespace portunus::server::control
