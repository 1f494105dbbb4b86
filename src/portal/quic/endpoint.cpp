#include "portal/quic/endpoint.hpp"

#include <ngtcp2/ngtcp2_crypto.h>
#include <sys/epoll.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>

#include "common/base/deadline.hpp"
#include "common/crypto/random.hpp"
#include "common/datagrams/offload.hpp"
#include "portal/quic/endpoint_socket.hpp"
#include "portal/quic/library.hpp"
#include "portal/quic/packet_receiver.hpp"
#include "portal/quic/quic_tls.hpp"
#include "portal/quic/stream_buffers.hpp"

namespace portunus::portal::quic {

Result<ServerSecrets> ServerSecrets::draw() {
  ServerSecrets secrets;
  crypto::random_bytes(secrets.token);
  crypto::random_bytes(secrets.reset);
  return secrets;
}

Endpoint::Endpoint(boost::asio::io_context& context, Settings settings, unsigned worker,
                   unsigned workers)
    : context_(context),
      poller_(context),
      settings_(std::make_shared<const Settings>(std::move(settings))),
      worker_(worker),
      workers_(workers),
      secrets_(*ServerSecrets::draw()),
      blocks_(std::make_shared<BlockPool>()),
      receiver_(std::make_unique<PacketReceiver>()),
      joinable_(datagrams::Offload::of_host().gso ? datagrams::kAnySegment
                                                  : datagrams::SegmentLimit{0}),
      batch_(std::make_unique<PacketBatch>()),
      idle_(context.get_executor()) {}

std::shared_ptr<Endpoint> Endpoint::server(boost::asio::io_context& context, Server server) {
  std::shared_ptr<Endpoint> self(
      new Endpoint(context, std::move(server.settings), server.worker, server.cores->count()));
  self->secrets_ = server.secrets;
  self->cores_ = std::move(server.cores);
  self->handler_ = server.handler;
  for (BoundSocket& bound : server.sockets) {
    self->sockets_.push_back(std::make_unique<UdpSocket>(
        *self, std::move(bound), false, static_cast<unsigned>(self->sockets_.size())));
  }
  return self;
}

std::shared_ptr<Endpoint> Endpoint::client(boost::asio::io_context& context, Settings settings) {
  return std::shared_ptr<Endpoint>(new Endpoint(context, std::move(settings), 0, 1));
}

Endpoint::~Endpoint() {
  shut();
}

Result<> Endpoint::start() {
  if (auto started = poller_.start(); !started) return started;
  for (const auto& socket : sockets_) {
    if (!socket->watch(poller_)) return fail_errno(errno, "UDP socket");
  }
  return {};
}

Result<std::shared_ptr<Connection>> Endpoint::connect(const net::Endpoint& remote,
                                                      std::shared_ptr<const ClientTls> tls,
                                                      const std::string& server_name) {
  if (stopping_) return fail(Errc::closed);
  auto session = TlsSession::client(std::move(tls), settings_->alpn, server_name);
  if (!session) return std::unexpected(session.error());
  auto bound = connect_socket(remote);
  if (!bound) return std::unexpected(bound.error());
  sockets_.push_back(std::make_unique<UdpSocket>(*this, std::move(*bound), true, 0U));
  UdpSocket& socket = *sockets_.back();
  if (!socket.watch(poller_)) {
    const int error = errno;
    drop_socket(socket);
    return fail_errno(error, "UDP socket");
  }
  std::shared_ptr<Connection> connection(new Connection(*this, settings_));
  SocketAddress local = socket.address();
  SocketAddress to = SocketAddress::from(remote);
  const ngtcp2_path path = path_of(local, to, &socket);
  const ngtcp2_callbacks callbacks = library_callbacks(false);
  const ngtcp2_settings settings = library_settings(*settings_, remote.address().is_v6());
  const ngtcp2_transport_params parameters = transport_parameters(*settings_, false);
  const ConnectionId issued = ConnectionId::issue(worker_, workers_);
  const ngtcp2_cid own = to_library(issued);
  const ngtcp2_cid other = to_library(ConnectionId::issue(worker_, workers_));
  ngtcp2_conn* conn = nullptr;
  if (ngtcp2_conn_client_new(&conn, &other, &own, &path, NGTCP2_PROTO_VER_V1, &callbacks, &settings,
                             &parameters, nullptr, connection.get()) != 0) {
    drop_socket(socket);
    return fail(Errc::out_of_memory);
  }
  connections_.emplace(connection.get(), connection);
  connection->own_socket_ = &socket;
  socket.set_connection(connection.get());
  connection->start(conn, std::move(*session));
  add_id(*connection, issued);
  schedule(*connection);
  return connection;
}

// Packets in.

void Endpoint::receive(UdpSocket& socket) {
  if (closed_) return;
  const int count = receiver_->receive(socket.fd());
  if (count < 0) {
    // An ICMP error of a client's socket says nothing that QUIC would believe.
    if (count != -EAGAIN && !socket.is_linked()) poller_.run_next_round(socket);
    return;
  }
  in_turn_ = true;
  for (unsigned slot = 0; slot < static_cast<unsigned>(count); ++slot) {
    datagrams::Datagrams run = (*receiver_)[slot];
    Packet packet;
    packet.remote = receiver_->remote(slot);
    packet.local = socket.connected() ? socket.address() : receiver_->local(slot, socket.address());
    while (!run.empty()) {
      const datagrams::Datagrams one = run.take(1);
      packet.bytes = {reinterpret_cast<const std::uint8_t*>(one.data), one.size};
      take(packet, socket);
    }
  }
  flush();
  in_turn_ = false;
  // One batch a turn; whether there is more shows in the next.
  if (static_cast<unsigned>(count) == PacketReceiver::kSlots && !socket.is_linked()) {
    poller_.run_next_round(socket);
  }
}

void Endpoint::take(const Packet& packet, UdpSocket& socket) {
  if (packet.bytes.empty()) return;
  ngtcp2_version_cid header;
  const int rv = ngtcp2_pkt_decode_version_cid(&header, packet.bytes.data(), packet.bytes.size(),
                                               ConnectionId::kIssued);
  // Version 2 and drafts are known to the library and not spoken here.
  const bool long_header = rv == 0 && (packet.bytes[0] & kLongHeader) != 0;
  const bool foreign = long_header && header.version != 0 && header.version != NGTCP2_PROTO_VER_V1;
  if (foreign && packet.bytes.size() < NGTCP2_MAX_UDP_PAYLOAD_SIZE) return;
  if (foreign || rv == NGTCP2_ERR_VERSION_NEGOTIATION) {
    return negotiate_version(packet, socket, {header.scid, header.scidlen},
                             {header.dcid, header.dcidlen});
  }
  if (rv != 0) return;
  const std::span<const std::uint8_t> id(header.dcid, header.dcidlen);
  Connection* connection = handler_ != nullptr ? find(id) : socket.connection();
  if (connection != nullptr) {
    SocketAddress local = packet.local;
    SocketAddress remote = packet.remote;
    connection->read(path_of(local, remote, &socket), packet.bytes);
    return;
  }
  if (handler_ == nullptr || id.empty()) return;
  if (const unsigned worker = owner(id[0], workers_); worker != worker_) {
    return cores_->hand_over(worker, packet, socket.index());
  }
  take_unknown(packet, socket, id);
}

void Endpoint::take_handed_over(const Packet& packet, unsigned socket) {
  if (closed_ || socket >= sockets_.size()) return;
  ++handed_over_;
  take(packet, *sockets_[socket]);
  if (!in_turn_) flush_soon();
}

Connection* Endpoint::find(std::span<const std::uint8_t> id) {
  const auto key = ConnectionId::from(id);
  if (!key) return nullptr;
  const auto found = table_.find(*key);
  return found == table_.end() ? nullptr : found->second;
}

// The table.

void Endpoint::add_id(Connection& connection, const ConnectionId& id) {
  if (table_.emplace(id, &connection).second) connection.ids_.push_back(id);
}

void Endpoint::remove_id(Connection& connection, const ConnectionId& id) {
  if (std::erase(connection.ids_, id) > 0) table_.erase(id);
}

void Endpoint::forget(Connection& connection) {
  const auto found = connections_.find(&connection);
  if (found == connections_.end()) return;
  for (const ConnectionId& id : connection.ids_) table_.erase(id);
  connection.ids_.clear();
  if (connection.own_socket_ != nullptr) connection.own_socket_->set_connection(nullptr);
  forgotten_.push_back(std::move(found->second));
  connections_.erase(found);
  if (!in_turn_) flush_soon();
  idle_.notify();
}

void Endpoint::clean_up() {
  for (const auto& connection : forgotten_) {
    connection->release();
    if (connection->own_socket_ != nullptr) {
      drop_socket(*std::exchange(connection->own_socket_, nullptr));
    }
  }
  forgotten_.clear();
}

/// Events of the poller's round at hand may still concern it.
void Endpoint::drop_socket(UdpSocket& socket) {
  const auto found = std::ranges::find_if(
      sockets_, [&](const auto& candidate) { return candidate.get() == &socket; });
  if (found == sockets_.end()) return;
  batch_->forget(socket.fd());
  socket.close();
  boost::asio::post(context_, [dropped = std::move(*found), self = shared_from_this()] {});
  sockets_.erase(found);
}

// Packets out.

void Endpoint::schedule(Connection& connection) {
  if (!connection.ConnectionHook::is_linked()) dirty_.push_back(connection);
  if (!in_turn_) flush_soon();
}

void Endpoint::flush_soon() {
  if (flush_posted_ || closed_) return;
  flush_posted_ = true;
  boost::asio::post(context_, [self = shared_from_this()] {
    self->flush_posted_ = false;
    if (self->closed_) return;
    self->in_turn_ = true;
    self->flush();
    self->in_turn_ = false;
  });
}

void Endpoint::flush() {
  // Those that are made dirty meanwhile, at the end of the list, have their turn too, but each
  // connection only one: what pacing lets it send at once.
  while (!dirty_.empty()) {
    Connection& connection = dirty_.front();
    dirty_.pop_front();
    if (!connection.write()) {
      dirty_.push_front(connection);
      break;
    }
  }
  send_batch();
  clean_up();
}

std::span<std::uint8_t> Endpoint::reserve(std::size_t size) {
  std::span<std::uint8_t> room = batch_->reserve(size);
  if (room.empty() && batch_->full() < 0 && send_batch()) room = batch_->reserve(size);
  return room;
}

void Endpoint::send_copy(const PacketWay& way, std::span<const std::uint8_t> packet) {
  const std::span<std::uint8_t> room = reserve(packet.size());
  if (room.empty()) return;
  std::ranges::copy(packet, room.begin());
  batch_->commit(way, packet.size());
  if (!in_turn_) flush_soon();
}

bool Endpoint::send_batch() {
  if (batch_->full() >= 0) return false;
  if (batch_->send()) return true;
  for (const auto& socket : sockets_) {
    if (socket->fd() == batch_->full()) socket->watch_for_room();
  }
  return false;
}

void Endpoint::socket_writable() {
  if (closed_) return;
  in_turn_ = true;
  batch_->retry();
  if (send_batch()) flush();
  in_turn_ = false;
}

// The end.

void Endpoint::request_stop() {
  stopping_ = true;
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& [key, connection] : connections_) all.push_back(connection);
  for (const auto& connection : all) connection->close(0, {});
}

void Endpoint::abandon() {
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& [key, connection] : connections_) all.push_back(connection);
  for (const auto& connection : all) forget(*connection);
}

async::Task<bool> Endpoint::drain(std::chrono::steady_clock::duration grace) {
  const SteadyTime deadline = deadline_after(std::chrono::steady_clock::now(), grace);
  bool go_on = true;
  while (go_on && !connections_.empty() && std::chrono::steady_clock::now() < deadline) {
    go_on = co_await idle_.wait_until(deadline);
  }
  const bool idle = connections_.empty();
  shut();
  co_return idle;
}

void Endpoint::shut() {
  if (closed_) return;
  send_batch();
  closed_ = true;
  stopping_ = true;
  dirty_.clear();
  for (auto& [key, connection] : connections_) {
    connection->ids_.clear();
    forgotten_.push_back(connection);
  }
  connections_.clear();
  table_.clear();
  for (const auto& connection : forgotten_) {
    connection->release();
    connection->own_socket_ = nullptr;
  }
  forgotten_.clear();
  for (const auto& socket : sockets_) socket->close();
  poller_.stop();
  // What the poller still has in the context's queue points to it. Whoever drained us may let go
  // of us at once; nobody can be kept whose destructor runs.
  if (auto self = weak_from_this().lock()) boost::asio::post(context_, [self] {});
}

}  // namespace portunus::portal::quic
