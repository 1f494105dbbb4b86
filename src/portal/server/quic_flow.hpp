#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "portal/protocol/bytes.hpp"
#include "portal/quic/datagram_queue.hpp"
#include "portal/quic/wake_up.hpp"
#include "portal/relay/udp_target.hpp"
#include "portal/server/quic_flows.hpp"

namespace portunus::portal::server {

/// One DATAGRAM flow: dials, then carries packets both ways until its idle time is over, a socket
/// error or close(). Packets that come while it dials or is paced wait in order, 1 MiB of them.
/// Shared by its table and its two coroutines.
class QuicFlow final : public std::enable_shared_from_this<QuicFlow> {
 public:
  QuicFlow(QuicFlows& owner, std::uint64_t id, std::string target);

  static async::Task<void> run(std::shared_ptr<QuicFlow> self);

  /// A packet for the target.
  void send(protocol::Bytes payload);
  /// What is under way ends; the table no longer knows it. Idempotent.
  void close();

  std::uint64_t id() const { return id_; }
  const std::string& target() const { return target_; }

 private:
  static async::Task<void> send_waiting(std::shared_ptr<QuicFlow> self);
  async::Task<void> closed();
  async::Task<void> carry_replies();
  bool send_now(protocol::Bytes payload);
  void count_sent(std::size_t bytes);
  void touch() { active_ = std::chrono::steady_clock::now(); }
  void watch_idle(SteadyTime when);

  QuicFlows& owner_;
  CoreServices& core_;
  const std::uint64_t id_;
  const std::string target_;
  /// The header of every reply.
  std::vector<std::uint8_t> header_;
  std::unique_ptr<relay::UdpTarget> socket_;
  quic::DatagramQueue waiting_;
  quic::WakeUp more_waiting_;
  boost::asio::steady_timer up_pause_;
  boost::asio::steady_timer down_pause_;
  boost::asio::steady_timer idle_;
  SteadyTime active_;
  /// One is on its way that was taken off those that wait.
  bool sending_ = false;
  bool closed_ = false;
  bool expired_ = false;
};

}  // namespace portunus::portal::server
