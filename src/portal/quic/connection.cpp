#include "portal/quic/connection.hpp"

#include <algorithm>
#include <utility>

#include "common/base/assert.hpp"
#include "portal/quic/close_path.hpp"
#include "portal/quic/endpoint.hpp"
#include "portal/quic/library.hpp"
#include "portal/quic/packet_batch.hpp"
#include "portal/quic/quic_tls.hpp"
#include "portal/quic/stream_core.hpp"

namespace portunus::portal::quic {
namespace {

/// Codes of TLS alerts (RFC 9001 section 4.8).
constexpr std::uint64_t kFirstCryptoError = 0x100;
constexpr std::uint64_t kLastCryptoError = 0x1ff;

std::string_view text_of(const ngtcp2_ccerr& error) {
  return {reinterpret_cast<const char*>(error.reason), error.reasonlen};
}

}  // namespace

Connection::Connection(Endpoint& endpoint, std::shared_ptr<const Settings> settings)
    : endpoint_(endpoint),
      settings_(std::move(settings)),
      alive_(std::make_unique<LiveList>()),
      sending_(std::make_unique<SendList>()),
      streams_granted_(settings_->initial_streams),
      segment_limit_(endpoint.joinable_),
      received_(settings_->datagram_bytes),
      unsent_(settings_->datagram_bytes),
      timer_(endpoint.context()),
      changed_(endpoint.context().get_executor()),
      stream_arrived_(endpoint.context().get_executor()),
      credit_arrived_(endpoint.context().get_executor()),
      datagram_arrived_(endpoint.context().get_executor()) {}

Connection::~Connection() {
  PORTUNUS_ASSERT(conn_ == nullptr);
}

void Connection::start(ngtcp2_conn* conn, std::unique_ptr<TlsSession> tls) {
  conn_ = conn;
  tls_ = std::move(tls);
  tls_->attach(conn);
  if (settings_->keep_alive) {
    ngtcp2_conn_set_keep_alive_timeout(
        conn, static_cast<ngtcp2_duration>(settings_->keep_alive->count()));
  }
}

void Connection::read(const ngtcp2_path& path, std::span<const std::uint8_t> packet) {
  if (state_ == State::closing) return repeat_close();
  if (state_ != State::live) return;
  const ngtcp2_pkt_info info{};
  const int rv =
      ngtcp2_conn_read_pkt(conn_, &path, &info, packet.data(), packet.size(), library_now());
  switch (rv) {
    case 0:
      schedule();
      return;
    case NGTCP2_ERR_DRAINING:
      peer_closed();
      return;
    case NGTCP2_ERR_RETRY:
    case NGTCP2_ERR_DROP_CONN:
      end({Errc::protocol_error, 0, ngtcp2_strerror(rv)});
      endpoint_.forget(*this);
      return;
    default:
      fail(rv);
  }
}

void Connection::release() {
  if (state_ == State::gone) return;
  if (!ending_) end({Errc::closed, 0, {}});
  remote_ = remote_endpoint();
  local_ = local_endpoint();
  state_ = State::gone;
  timer_.cancel();
  ConnectionHook::unlink();
  endpoint_.batch_->forget(segment_limit_);
  ngtcp2_conn_del(std::exchange(conn_, nullptr));
  tls_.reset();
  // Only now nothing points into them any more.
  streams_.clear();
  incoming_.clear();
  for (StreamCore& stream : *alive_) {
    stream.out.clear();
    stream.connection = nullptr;
  }
  alive_->clear();
}

async::Task<Result<>> Connection::handshake() {
  while (!handshake_completed_ && !ending_) {
    const bool go_on = co_await changed_.wait();
    if (!go_on) co_return portunus::fail(Errc::cancelled);
  }
  if (ending_) co_return portunus::fail(Error(ending_->cause, ending_->reason));
  co_return Result<>();
}

async::Task<bool> Connection::ended() {
  while (!ending_) {
    const bool go_on = co_await changed_.wait();
    if (!go_on) co_return false;
  }
  co_return true;
}

void Connection::on_handshake_completed() {
  handshake_completed_ = true;
  changed_.notify();
}

async::Task<bool> Connection::wait_for_datagram() {
  while (received_.empty()) {
    if (ending_) co_return false;
    const bool go_on = co_await datagram_arrived_.wait();
    if (!go_on) co_return false;
  }
  co_return true;
}

bool Connection::send_datagram(std::span<const std::uint8_t> header,
                               std::span<const std::uint8_t> payload) {
  if (state_ != State::live || header.size() + payload.size() > max_datagram()) return false;
  if (!unsent_.push(header, payload)) return false;
  schedule();
  return true;
}

std::size_t Connection::max_datagram() const {
  if (state_ != State::live) return 0;
  const ngtcp2_transport_params* peer = ngtcp2_conn_get_remote_transport_params(conn_);
  if (peer == nullptr || peer->max_datagram_frame_size == 0) return 0;
  // Flags, the longest packet number and tag of a short header; type and length of the frame.
  const std::size_t packet = 1 + ngtcp2_conn_get_dcid(conn_)->datalen + 4 + 16;
  constexpr std::size_t kFrame = 1 + 2;
  const std::size_t path = ngtcp2_conn_get_path_max_tx_udp_payload_size(conn_);
  if (path <= packet + kFrame || peer->max_datagram_frame_size <= kFrame) return 0;
  return std::min(path - packet - kFrame,
                  static_cast<std::size_t>(peer->max_datagram_frame_size) - kFrame);
}

net::Endpoint Connection::remote_endpoint() const {
  if (conn_ == nullptr) return remote_;
  return address_of(ngtcp2_conn_get_path(conn_)->remote).endpoint();
}

net::Endpoint Connection::local_endpoint() const {
  if (conn_ == nullptr) return local_;
  return address_of(ngtcp2_conn_get_path(conn_)->local).endpoint();
}

void Connection::close(std::uint64_t code, std::string_view reason) {
  if (state_ != State::live) return;
  ngtcp2_ccerr error;
  ngtcp2_ccerr_set_application_error(
      &error, code, reinterpret_cast<const std::uint8_t*>(reason.data()), reason.size());
  enter_closing(error, {Errc::closed, code, std::string(reason)});
}

void Connection::fail(int library_error) {
  if (state_ != State::live) return;
  if (library_error == NGTCP2_ERR_IDLE_CLOSE) {
    end({Errc::idle_timeout, 0, {}});
    return endpoint_.forget(*this);
  }
  if (library_error == NGTCP2_ERR_HANDSHAKE_TIMEOUT) {
    end({Errc::handshake_timeout, 0, {}});
    return endpoint_.forget(*this);
  }
  ngtcp2_ccerr error;
  if (library_error == NGTCP2_ERR_CRYPTO) {
    ngtcp2_ccerr_set_tls_alert(&error, ngtcp2_conn_get_tls_alert(conn_), nullptr, 0);
  } else {
    ngtcp2_ccerr_set_liberr(&error, library_error, nullptr, 0);
  }
  const Errc cause = handshake_completed_ ? Errc::protocol_error : Errc::handshake_failed;
  enter_closing(error, {cause, error.error_code, ngtcp2_strerror(library_error)});
}

void Connection::enter_closing(const ngtcp2_ccerr& error, Ending ending) {
  std::array<std::uint8_t, NGTCP2_MAX_UDP_PAYLOAD_SIZE> packet;
  ngtcp2_path_storage path;
  ngtcp2_path_storage_zero(&path);
  ngtcp2_pkt_info info{};
  const ngtcp2_ssize size = ngtcp2_conn_write_connection_close(
      conn_, &path.path, &info, packet.data(), packet.size(), &error, library_now());
  state_ = State::closing;
  end(std::move(ending));
  if (size <= 0) return endpoint_.forget(*this);
  close_packet_.assign(packet.begin(), packet.begin() + size);
  close_path_ = std::make_unique<ClosePath>(way_of(path.path));
  repeat_close();
  forget_later();
}

/// For the 1st, 2nd, 4th, 8th... packet that still comes, so that two peers do not keep one another
/// busy.
void Connection::repeat_close() {
  const std::uint64_t n = ++late_packets_;
  if ((n & (n - 1)) != 0) return;
  endpoint_.send_copy(close_path_->way, close_packet_);
}

void Connection::peer_closed() {
  state_ = State::draining;
  end(ending_of_peer());
  forget_later();
}

/// RFC 9000 section 10.2.
void Connection::forget_later() {
  forget_at_ =
      std::chrono::steady_clock::now() + 3 * std::chrono::nanoseconds(ngtcp2_conn_get_pto(conn_));
  arm_timer_at(forget_at_);
}

Ending Connection::ending_of_peer() const {
  if (stateless_reset_) return {Errc::stateless_reset, 0, {}};
  const ngtcp2_ccerr* error = ngtcp2_conn_get_ccerr(conn_);
  Ending ending{Errc::peer_error, error->error_code, std::string(text_of(*error))};
  if (error->type == NGTCP2_CCERR_TYPE_APPLICATION || error->error_code == NGTCP2_NO_ERROR) {
    ending.cause = Errc::closed_by_peer;
  } else if (error->error_code >= kFirstCryptoError && error->error_code <= kLastCryptoError) {
    ending.cause = Errc::handshake_failed;
  }
  return ending;
}

void Connection::end(Ending ending) {
  if (ending_) return;
  ending_ = std::move(ending);
  ConnectionHook::unlink();
  sending_->clear();
  const Error error(ending_->cause, ending_->reason);
  for (StreamCore& stream : *alive_) {
    if (!stream.fin_received) stream.fail_reads(error);
    stream.fail_writes(error);
  }
  unsent_.clear();
  changed_.notify();
  stream_arrived_.notify();
  credit_arrived_.notify();
  datagram_arrived_.notify();
}

void Connection::schedule() {
  if (state_ == State::live) endpoint_.schedule(*this);
}

void Connection::arm_timer() {
  const ngtcp2_tstamp expiry = ngtcp2_conn_get_expiry(conn_);
  if (expiry == UINT64_MAX) return;
  arm_timer_at(from_library(expiry));
}

/// A timer that rings too early costs less than one that is set anew for every packet.
void Connection::arm_timer_at(SteadyTime when) {
  if (timer_armed_ && timer_at_ <= when) return;
  timer_armed_ = true;
  timer_at_ = when;
  timer_.expires_at(when);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
    if (!ec) self->on_timer();
  });
}

void Connection::on_timer() {
  timer_armed_ = false;
  if (state_ == State::gone) return;
  if (state_ != State::live) {
    // It was perhaps set for something earlier.
    if (std::chrono::steady_clock::now() < forget_at_) return arm_timer_at(forget_at_);
    return endpoint_.forget(*this);
  }
  const ngtcp2_tstamp now = library_now();
  if (ngtcp2_conn_get_expiry(conn_) > now) return arm_timer();
  if (const int rv = ngtcp2_conn_handle_expiry(conn_, now); rv != 0) return fail(rv);
  schedule();
}

}  // namespace portunus::portal::quic
