// What a server does with packets that belong to none of its connections. Nothing here keeps any
// state before the address of the source has been validated.
#include <ngtcp2/ngtcp2_crypto.h>

#include <array>
#include <utility>

#include "common/crypto/random.hpp"
#include "portal/quic/close_path.hpp"
#include "portal/quic/endpoint.hpp"
#include "portal/quic/endpoint_socket.hpp"
#include "portal/quic/library.hpp"
#include "portal/quic/packet_receiver.hpp"
#include "portal/quic/quic_tls.hpp"

namespace portunus::portal::quic {
namespace {

/// How long a client may take for its second Initial.
constexpr ngtcp2_duration kTokenLife = 10 * NGTCP2_SECONDS;

/// A stateless reset is shorter than what caused it, so that two ends cannot play with one another,
/// and long enough to look like a packet (RFC 9000 section 10.3).
constexpr std::size_t kShortestReset = 21;
constexpr std::size_t kLongestReset = 43;
constexpr unsigned kResetsPerSecond = 100;

}  // namespace

void Endpoint::take_unknown(const Packet& packet, UdpSocket& socket,
                            std::span<const std::uint8_t> id) {
  if ((packet.bytes[0] & kLongHeader) == 0) return send_stateless_reset(packet, socket, id);
  if (stopping_) return;
  ngtcp2_pkt_hd initial;
  if (ngtcp2_accept(&initial, packet.bytes.data(), packet.bytes.size()) != 0) return;
  if (initial.tokenlen == 0) return send_retry(packet, socket, initial);
  ngtcp2_cid original;
  const int rv = ngtcp2_crypto_verify_retry_token2(
      &original, initial.token, initial.tokenlen, secrets_.token.data(), secrets_.token.size(),
      initial.version, &packet.remote.any, packet.remote.size(), &initial.dcid, kTokenLife,
      library_now());
  // Whatever is wrong with a token, it counts as absent (portal section 8).
  if (rv != 0) return send_retry(packet, socket, initial);
  accept(packet, socket, initial, original);
}

void Endpoint::send_single(const Packet& packet, UdpSocket& socket,
                           std::span<const std::uint8_t> answer) {
  send_copy({.fd = socket.fd(),
             .connected = false,
             .local = packet.local,
             .remote = packet.remote,
             .limit = nullptr},
            answer);
}

void Endpoint::negotiate_version(const Packet& packet, UdpSocket& socket,
                                 std::span<const std::uint8_t> client_id,
                                 std::span<const std::uint8_t> server_id) {
  if (handler_ == nullptr || stopping_) return;
  constexpr std::array<std::uint32_t, 1> kVersions{NGTCP2_PROTO_VER_V1};
  std::array<std::uint8_t, NGTCP2_MAX_UDP_PAYLOAD_SIZE> answer;
  const auto random = static_cast<std::uint8_t>(crypto::random_u64());
  const ngtcp2_ssize size = ngtcp2_pkt_write_version_negotiation(
      answer.data(), answer.size(), random, client_id.data(), client_id.size(), server_id.data(),
      server_id.size(), kVersions.data(), kVersions.size());
  if (size > 0)
    send_single(packet, socket, std::span(answer).first(static_cast<std::size_t>(size)));
}

void Endpoint::send_retry(const Packet& packet, UdpSocket& socket, const ngtcp2_pkt_hd& initial) {
  const ngtcp2_cid id = to_library(ConnectionId::issue(worker_, workers_));
  std::array<std::uint8_t, NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN2> token;
  const ngtcp2_ssize token_size = ngtcp2_crypto_generate_retry_token2(
      token.data(), secrets_.token.data(), secrets_.token.size(), initial.version,
      &packet.remote.any, packet.remote.size(), &id, &initial.dcid, library_now());
  if (token_size < 0) return;
  std::array<std::uint8_t, NGTCP2_MAX_UDP_PAYLOAD_SIZE> answer;
  const ngtcp2_ssize size =
      ngtcp2_crypto_write_retry(answer.data(), answer.size(), initial.version, &initial.scid, &id,
                                &initial.dcid, token.data(), static_cast<std::size_t>(token_size));
  if (size > 0)
    send_single(packet, socket, std::span(answer).first(static_cast<std::size_t>(size)));
}

/// The peer of a connection that is gone learns that soon instead of by its idle timeout.
void Endpoint::send_stateless_reset(const Packet& packet, UdpSocket& socket,
                                    std::span<const std::uint8_t> id) {
  if (packet.bytes.size() <= kShortestReset) return;
  const std::uint64_t second = library_now() / NGTCP2_SECONDS;
  if (second != reset_second_) {
    reset_second_ = second;
    resets_ = 0;
  }
  if (++resets_ > kResetsPerSecond) return;
  ngtcp2_cid cid;
  ngtcp2_cid_init(&cid, id.data(), id.size());
  std::array<std::uint8_t, NGTCP2_STATELESS_RESET_TOKENLEN> token;
  if (ngtcp2_crypto_generate_stateless_reset_token(token.data(), secrets_.reset.data(),
                                                   secrets_.reset.size(), &cid) != 0) {
    return;
  }
  std::array<std::uint8_t, kLongestReset> random;
  const std::size_t size = std::min(packet.bytes.size() - 1, kLongestReset);
  crypto::random_bytes(random);
  std::array<std::uint8_t, kLongestReset> answer;
  const ngtcp2_ssize written = ngtcp2_pkt_write_stateless_reset(answer.data(), size, token.data(),
                                                                random.data(), size - token.size());
  if (written > 0) {
    send_single(packet, socket, std::span(answer).first(static_cast<std::size_t>(written)));
  }
}

void Endpoint::accept(const Packet& packet, UdpSocket& socket, const ngtcp2_pkt_hd& initial,
                      const ngtcp2_cid& original) {
  // Over the limit: no packet at all (portal section 9).
  std::shared_ptr<void> admission = handler_->admit(packet.remote.endpoint());
  if (admission == nullptr) return;
  std::shared_ptr<const ServerTls> tls = handler_->on_client_hello();
  if (tls == nullptr) return;
  auto session = TlsSession::server(std::move(tls), settings_->alpn);
  if (!session) return;
  std::shared_ptr<Connection> connection(new Connection(*this, settings_));
  SocketAddress local = packet.local;
  SocketAddress remote = packet.remote;
  const ngtcp2_path path = path_of(local, remote, &socket);
  const ngtcp2_callbacks callbacks = library_callbacks(true);
  ngtcp2_settings settings = library_settings(*settings_, remote.any.sa_family == AF_INET6);
  settings.token = initial.token;
  settings.tokenlen = initial.tokenlen;
  settings.token_type = NGTCP2_TOKEN_TYPE_RETRY;
  ngtcp2_transport_params parameters = transport_parameters(*settings_, true);
  parameters.original_dcid = original;
  parameters.original_dcid_present = 1;
  parameters.retry_scid = initial.dcid;
  parameters.retry_scid_present = 1;
  const ConnectionId issued = ConnectionId::issue(worker_, workers_);
  const ngtcp2_cid own = to_library(issued);
  parameters.stateless_reset_token_present =
      ngtcp2_crypto_generate_stateless_reset_token(parameters.stateless_reset_token,
                                                   secrets_.reset.data(), secrets_.reset.size(),
                                                   &own) == 0;
  ngtcp2_conn* conn = nullptr;
  if (ngtcp2_conn_server_new(&conn, &initial.scid, &own, &path, initial.version, &callbacks,
                             &settings, &parameters, nullptr, connection.get()) != 0) {
    return;
  }
  connections_.emplace(connection.get(), connection);
  connection->start(conn, std::move(*session));
  add_id(*connection, issued);
  // Until it has heard ours, the client goes on using the id of the Retry.
  add_id(*connection, from_library(initial.dcid));
  connection->read(path, packet.bytes);
  handler_->opened(std::move(connection), std::move(admission));
}

}  // namespace portunus::portal::quic
