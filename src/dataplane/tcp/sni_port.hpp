#pragma once

#include <array>
#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <memory>
#include <string_view>

#include "common/net/endpoint.hpp"
#include "common/net/unique_fd.hpp"
#include "dataplane/stats/sni_counters.hpp"
#include "dataplane/tcp/fwd.hpp"
#include "dataplane/tcp/hello_look.hpp"
#include "dataplane/tcp/hello_peek.hpp"
#include "dataplane/tcp/listen_port.hpp"
#include "dataplane/tcp/sni_group.hpp"
#include "dataplane/tcp/sni_table.hpp"

namespace portunus::dataplane::tcp {

/// What one worker has of one port in SNI mode: its listening sockets, the snapshot in force, and
/// the connections whose hello is awaited. Each connection goes to the slice of the rule that its
/// name selects, whose gates and target it meets there (SNI-8, SNI-9). Lives on the worker's
/// thread; drops out of the worker when it is closed and nobody waits any more.
class SniPort final : private PortSink {
 public:
  /// Most peeks at a time on one listening socket (SNI-4).
  static constexpr unsigned kMostPeeks = 1024;

  SniPort(Worker& worker, std::shared_ptr<SniGroup> group, ListenPair sockets);
  SniPort(const SniPort&) = delete;
  SniPort& operator=(const SniPort&) = delete;

  /// False, with errno, when the poller refuses a socket.
  bool start(std::shared_ptr<const SniRoutes> routes);
  /// Takes another snapshot into force: for connections accepted from now on (SNI-3).
  void set_routes(std::shared_ptr<const SniRoutes> routes);
  /// Closes the listeners. Who waits goes on with the snapshot he took. Idempotent.
  void close();
  /// Resets everyone who waits.
  void cancel();

  // For HelloPeek.
  void on_looked(Arrival arrival, const SniTable& table, const HelloLook& look);
  void on_timeout(Arrival arrival);
  void on_peek_over(const net::Endpoint& peer);

  Worker& worker() { return worker_; }
  const SniGroup& group() const { return *group_; }

 private:
  using Peeks = boost::intrusive::list<HelloPeek, boost::intrusive::base_hook<PeekHook>,
                                       boost::intrusive::constant_time_size<false>>;

  void on_accepted(ListenPort& port, net::UniqueFd accepted, const net::Endpoint& peer) override;
  void on_accept_error(ListenPort& port, int error) override;
  void on_listener_died(ListenPort& port) override;

  void peek(Arrival arrival, std::size_t wanted);
  void end_peek(const Arrival& arrival);
  void route(Arrival arrival, const SniTable& table, std::string_view server_name);
  void fail_parse(Arrival arrival, std::string_view error);
  void drop(net::UniqueFd socket);
  /// Peeks on the socket of the peer's family.
  unsigned& peeks(const net::Endpoint& peer) {
    return peek_counts_[peer.address().is_v6() ? 1 : 0];
  }

  Worker& worker_;
  /// Of this worker: one, or one for each family.
  const unsigned sockets_;
  const std::shared_ptr<SniGroup> group_;
  stats::SniShard& shard_;
  std::shared_ptr<const SniTable> table_;
  ListenPort listeners_;
  Peeks peeking_;
  std::array<unsigned, 2> peek_counts_{};
  bool closed_ = false;
};

}  // namespace portunus::dataplane::tcp
