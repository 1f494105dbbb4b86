#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/async/gate.hpp"
#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"
#include "portal/client/forwarder/local_udp_socket.hpp"
#include "portal/client/forwarder/trouble.hpp"
#include "portal/client/transport.hpp"

namespace portunus::portal::client::forwarder {

struct UdpOptions {
  /// What every packet is led to (portal 6.5).
  std::string target;
  /// A packet of a new address at the bound is lost; no flow that lives pays for it.
  std::size_t max_flows = 1024;
  /// Without a packet either way, so long.
  std::chrono::steady_clock::duration idle = std::chrono::seconds(120);
  /// Kept for one address while its flow is being opened; more are lost.
  std::size_t pending_packets = 32;
  std::size_t pending_bytes = 64 * 1024;
};

/// A local UDP port whose packets come out at one target behind a Portal: one flow for each client
/// address, which gets the target's answers. Lives on one executor, the transport's, and must be
/// drained before either is destroyed.
class UdpForwarder {
 public:
  UdpForwarder(boost::asio::any_io_executor executor, Transport& transport, UdpOptions options,
               OnTrouble on_trouble);
  ~UdpForwarder();
  UdpForwarder(const UdpForwarder&) = delete;
  UdpForwarder& operator=(const UdpForwarder&) = delete;

  /// Binds; the endpoint with the port that the system chose for 0.
  Result<net::Endpoint> listen(const net::Endpoint& local);
  /// After listen().
  void start();

  /// Ends every flow: a flow has no end of its own to wait for. Idempotent.
  void request_stop();
  async::Task<bool> drain(std::chrono::steady_clock::duration grace);

  std::size_t flows() const { return flows_.size(); }

 private:
  class Flow;
  struct AddressHash {
    std::size_t operator()(const net::Endpoint& address) const;
  };
  using ByAge = std::list<std::shared_ptr<Flow>>;

  async::Task<> receive_loop();
  void take_batch(unsigned count);
  std::shared_ptr<Flow> find_or_open(const sockaddr_storage& source);
  async::Task<> open(std::shared_ptr<Flow> flow);
  async::Task<> expire_loop();
  void touch(Flow& flow);
  void forget(const std::shared_ptr<Flow>& flow);
  /// From within the flow's own callback, which must return before the flow may go.
  void forget_soon(Flow& flow, const Error& why);
  async::Task<> forget_later(std::shared_ptr<Flow> flow);

  boost::asio::any_io_executor executor_;
  Transport& transport_;
  const UdpOptions options_;
  const OnTrouble on_trouble_;
  std::optional<LocalUdpSocket> socket_;
  boost::asio::posix::stream_descriptor readiness_;
  boost::asio::steady_timer expiry_;
  bool stopping_ = false;
  /// Least recently used first.
  ByAge by_age_;
  std::unordered_map<net::Endpoint, std::shared_ptr<Flow>, AddressHash> flows_;
  std::vector<std::shared_ptr<Flow>> touched_;  ///< of one batch
  async::Gate gate_;
};

}  // namespace portunus::portal::client::forwarder
