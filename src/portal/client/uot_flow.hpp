#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "common/async/gate.hpp"
#include "portal/client/transport.hpp"
#include "portal/relay/byte_stream.hpp"

namespace portunus::portal::client {

/// A UDP flow as frames on a stream of its own (portal 6.4, 13), which has sent the setup frame.
/// Packets that are queued in one burst leave in one write; at kMostQueued bytes more are lost.
/// Its coroutines run in the transport's gate and keep its state until they have ended; destroying
/// the flow sends what is queued, ends the stream cleanly and aborts it after kClosing. A
/// cancelled gate aborts it at once.
class UotFlow final : public UdpFlow {
 public:
  static constexpr std::size_t kMostQueued = 512 * 1024;
  static constexpr std::chrono::seconds kClosing{5};

  UotFlow(boost::asio::any_io_executor executor, async::Gate& gate,
          std::unique_ptr<relay::ByteStream> stream, UdpReceiver& receiver);
  ~UotFlow() override;
  UotFlow(const UotFlow&) = delete;
  UotFlow& operator=(const UotFlow&) = delete;

  bool send(std::span<const std::uint8_t> payload) override;
  void flush() override {}  // send() wakes the writer, which runs after the burst

 private:
  struct State;
  static async::Task<> read_loop(std::shared_ptr<State> state);
  static async::Task<> write_loop(std::shared_ptr<State> state);
  static async::Task<> stop_with_gate(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace portunus::portal::client
