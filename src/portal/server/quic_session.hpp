#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/gate.hpp"
#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "portal/quic/connection.hpp"
#include "portal/quic/datagram_queue.hpp"
#include "portal/quic/stream.hpp"
#include "portal/server/quic_flows.hpp"
#include "portal/server/services.hpp"

namespace portunus::portal::server {

/// One QUIC connection from its first validated packet to its end (portal 9, 11, 12): handshake,
/// authentication stream, then request streams and DATAGRAM flows, all at once. Lives on its core's
/// thread, owned by its coroutine, whose cancellation ends it wherever it is. Its failures concern
/// nobody else and are logged.
class QuicSession {
 public:
  /// `slot` is the place among those who have not authenticated; given back with the pointer.
  QuicSession(CoreServices& core, std::shared_ptr<quic::Connection> connection,
              std::shared_ptr<void> slot);
  QuicSession(const QuicSession&) = delete;
  QuicSession& operator=(const QuicSession&) = delete;

  static async::Task<void> run(std::unique_ptr<QuicSession> self);

 private:
  async::Task<void> serve();
  async::Task<bool> shake_hands();
  async::Task<bool> authenticate();
  async::Task<Result<>> read_auth_stream();
  async::Task<void> take_datagrams();
  void keep_early();
  void deliver_kept();

  async::Task<void> serve_stream(std::unique_ptr<quic::Stream> stream);
  async::Task<Result<>> read_request(quic::Stream& stream, struct RequestInput& input);
  async::Task<void> relay(quic::Stream& stream, struct RequestInput& input);
  /// FIN without data, and STOP_SENDING 0 where input is unread.
  static void refuse(quic::Stream& stream);

  void log(log::Level level, std::string_view what, std::string_view detail = {}) const;

  CoreServices& core_;
  const std::shared_ptr<quic::Connection> connection_;
  std::shared_ptr<void> slot_;
  std::unique_ptr<quic::Stream> auth_stream_;
  async::Gate gate_;
  QuicFlows flows_;
  bool authenticated_ = false;
  /// DATAGRAMs from before that, in order.
  std::vector<std::vector<std::uint8_t>> early_;
  std::size_t early_bytes_ = 0;
};

}  // namespace portunus::portal::server
