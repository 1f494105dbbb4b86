#pragma once

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/datagrams/sending.hpp"
#include "common/net/endpoint.hpp"
#include "dataplane/reactor/poller.hpp"
#include "portal/quic/connection.hpp"
#include "portal/quic/connection_id.hpp"
#include "portal/quic/settings.hpp"
#include "portal/quic/tls.hpp"
#include "portal/quic/udp_socket.hpp"
#include "portal/quic/wake_up.hpp"

// The library's own types, so that its headers stay inside this library.
struct ngtcp2_cid;
struct ngtcp2_pkt_hd;

namespace portunus::portal::quic {

class BlockPool;
class Endpoint;
class PacketBatch;
class PacketReceiver;
struct PacketWay;
class UdpSocket;
struct Packet;

/// What a server decides about those who come. Called on the endpoint's thread.
class ServerHandler {
 public:
  virtual ~ServerHandler() = default;
  /// The first packet with a validated address: what the connection holds until it has proven
  /// itself, or null. Then the attempt is ignored with no packet sent (portal section 9).
  virtual std::shared_ptr<void> admit(const net::Endpoint& remote) = 0;
  /// The certificate for a connection whose ClientHello is there; null refuses it.
  virtual std::shared_ptr<const ServerTls> on_client_hello() = 0;
  /// Its handshake is under way. `admission` is what admit() gave.
  virtual void opened(std::shared_ptr<Connection> connection, std::shared_ptr<void> admission) = 0;
};

/// The keys of a server's Retry tokens and stateless resets: drawn at start, never changed, the
/// same for all its cores.
struct ServerSecrets {
  std::array<std::uint8_t, 32> token{};
  std::array<std::uint8_t, 32> reset{};
  static Result<ServerSecrets> draw();
};

/// The cores of one server, so that a packet which the kernel gave to the wrong one reaches its
/// connection. Filled before any packet comes; then only its counters change.
class Cores {
 public:
  explicit Cores(unsigned count);
  ~Cores();
  unsigned count() const { return static_cast<unsigned>(cores_.size()); }
  void set(unsigned worker, const std::shared_ptr<Endpoint>& endpoint);
  /// Copies the packet to its core; beyond 1024 that wait there it is dropped. Any core's thread.
  void hand_over(unsigned worker, const Packet& packet, unsigned socket);

 private:
  struct Core;
  std::vector<std::unique_ptr<Core>> cores_;
};

/// One core's share of a server, or a client's end of all its connections: sockets, the table of
/// connections, batches in and out. Lives on its io_context's thread, on which everything but the
/// factories is called. Stopped in two calls, like everything; destroyed on its thread or after it.
class Endpoint final : public std::enable_shared_from_this<Endpoint> {
 public:
  struct Server {
    Settings settings;
    ServerSecrets secrets;
    std::shared_ptr<Cores> cores;
    unsigned worker = 0;
    std::vector<BoundSocket> sockets;
    /// Outlives the endpoint.
    ServerHandler* handler = nullptr;
  };

  static std::shared_ptr<Endpoint> server(boost::asio::io_context& context, Server server);
  static std::shared_ptr<Endpoint> client(boost::asio::io_context& context, Settings settings);
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  /// Begins to receive.
  Result<> start();

  /// Begins a connection from a socket of its own; Connection::handshake() tells how it goes.
  /// `server_name` is sent as SNI unless it is empty or an address, and is what Trust::system
  /// compares.
  Result<std::shared_ptr<Connection>> connect(const net::Endpoint& remote,
                                              std::shared_ptr<const ClientTls> tls,
                                              const std::string& server_name);

  /// New attempts are ignored from here on, and every connection is closed: code 0, no reason.
  void request_stop();
  /// Waits at most `grace` until no connection has anything more to say, then closes the sockets.
  /// True when it came to that by itself.
  async::Task<bool> drain(std::chrono::steady_clock::duration grace);

  /// Forgets every connection without a word, as a crash would; for tests.
  void abandon();

  std::size_t connections() const { return connections_.size(); }
  /// Packets that came from another core.
  std::uint64_t handed_over() const { return handed_over_; }
  boost::asio::io_context& context() { return context_; }

 private:
  friend class Connection;
  friend class ConnectionCallbacks;
  friend class Cores;
  friend class UdpSocket;

  Endpoint(boost::asio::io_context& context, Settings settings, unsigned worker, unsigned workers);

  // Packets in.
  void receive(UdpSocket& socket);
  void take(const Packet& packet, UdpSocket& socket);
  void take_handed_over(const Packet& packet, unsigned socket);
  Connection* find(std::span<const std::uint8_t> id);

  // What belongs to no connection (endpoint_accept.cpp).
  void take_unknown(const Packet& packet, UdpSocket& socket, std::span<const std::uint8_t> id);
  void negotiate_version(const Packet& packet, UdpSocket& socket,
                         std::span<const std::uint8_t> client_id,
                         std::span<const std::uint8_t> server_id);
  void send_retry(const Packet& packet, UdpSocket& socket, const ngtcp2_pkt_hd& initial);
  void send_stateless_reset(const Packet& packet, UdpSocket& socket,
                            std::span<const std::uint8_t> id);
  void accept(const Packet& packet, UdpSocket& socket, const ngtcp2_pkt_hd& initial,
              const ngtcp2_cid& original);
  void send_single(const Packet& packet, UdpSocket& socket, std::span<const std::uint8_t> answer);

  // The table.
  void add_id(Connection& connection, const ConnectionId& id);
  void remove_id(Connection& connection, const ConnectionId& id);
  /// Releases the connection after the turn at hand.
  void forget(Connection& connection);

  // Packets out.
  void schedule(Connection& connection);
  /// Room in the batch; empty while a socket is full.
  std::span<std::uint8_t> reserve(std::size_t size);
  void send_copy(const PacketWay& way, std::span<const std::uint8_t> packet);
  void flush();
  void flush_soon();
  /// Sends what is in the batch. False when a socket is full, which is then waited for.
  bool send_batch();
  void socket_writable();
  void clean_up();

  void drop_socket(UdpSocket& socket);
  void shut();

  using Dirty = boost::intrusive::list<Connection, boost::intrusive::base_hook<ConnectionHook>,
                                       boost::intrusive::constant_time_size<false>>;

  boost::asio::io_context& context_;
  dataplane::reactor::Poller poller_;
  const std::shared_ptr<const Settings> settings_;
  const unsigned worker_;
  const unsigned workers_;
  ServerSecrets secrets_;
  std::shared_ptr<Cores> cores_;
  ServerHandler* handler_ = nullptr;

  std::vector<std::unique_ptr<UdpSocket>> sockets_;
  std::unordered_map<ConnectionId, Connection*, ConnectionId::Hash> table_;
  std::unordered_map<const Connection*, std::shared_ptr<Connection>> connections_;
  /// Released at the end of the turn: something of them may still be on the stack.
  std::vector<std::shared_ptr<Connection>> forgotten_;
  std::shared_ptr<BlockPool> blocks_;
  std::unique_ptr<PacketReceiver> receiver_;
  /// What a connection's packets begin with.
  const datagrams::SegmentLimit joinable_;
  std::unique_ptr<PacketBatch> batch_;
  Dirty dirty_;
  bool in_turn_ = false;
  bool flush_posted_ = false;
  bool stopping_ = false;
  bool closed_ = false;
  std::uint64_t handed_over_ = 0;
  /// Stateless resets of the second at hand; more than a few help nobody.
  std::uint64_t reset_second_ = 0;
  unsigned resets_ = 0;
  WakeUp idle_;
};

}  // namespace portunus::portal::quic
