#include "portal/client/quic_transport.hpp"

#include <array>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "common/async/cancelled.hpp"
#include "common/async/within.hpp"
#include "common/base/deadline.hpp"
#include "common/crypto/random.hpp"
#include "portal/client/addresses.hpp"
#include "portal/client/errc.hpp"
#include "portal/protocol/target.hpp"
#include "portal/protocol/tcp_request.hpp"

namespace portunus::portal::client {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr milliseconds kBackoffBase{200};
constexpr milliseconds kBackoffCap{10'000};
/// A connection that lived so long had not come to nothing.
constexpr std::chrono::seconds kProven{10};
/// Portal 18, "QUIC close".
constexpr std::uint64_t kAccessDenied = 1;

quic::Settings quic_settings(const ClientSettings& settings) {
  quic::Settings out = quic::Settings::client();
  out.alpn = settings.alpn;
  out.handshake_timeout = settings.connect_timeout;
  out.idle_timeout = settings.quic_idle_timeout;
  out.keep_alive = settings.quic_keep_alive;
  return out;
}

quic::Trust quic_trust(const ClientSettings& settings) {
  switch (settings.trust) {
    case Trust::system:
      return {quic::Trust::Kind::system, {}, settings.roots_path};
    case Trust::pin:
      return {quic::Trust::Kind::pin, settings.pin, {}};
    case Trust::anything:
      return {quic::Trust::Kind::anybody, {}, {}};
  }
  return {};
}

Error ending_error(const quic::Connection& connection) {
  const std::optional<quic::Ending>& ending = connection.ending();
  if (!ending) return Errc::connection_lost;
  if (ending->cause == quic::Errc::closed_by_peer && ending->code == kAccessDenied) {
    return Errc::access_denied;
  }
  return Error(Errc::connection_lost, make_error_code(ending->cause).message());
}

}  // namespace

/// One flow, for as long as its user wants it.
class QuicTransport::Flow final : public UdpFlow {
 public:
  Flow(QuicTransport& transport, std::string target, UdpReceiver& receiver)
      : transport_(transport), target_(std::move(target)) {
    id_ = transport_.flows_.add(target_, receiver);
  }
  ~Flow() override {
    transport_.flows_.remove(id_);
    if (transport_.connection_) send_as(protocol::DatagramType::close, {});
  }
  bool send(std::span<const std::uint8_t> payload) override {
    return transport_.connection_ != nullptr && send_as(protocol::DatagramType::request, payload);
  }
  void flush() override {}  // packets leave at the end of the turn

 private:
  bool send_as(protocol::DatagramType type, std::span<const std::uint8_t> payload) {
    return transport_.send(*transport_.connection_, type, id_, target_, payload);
  }

  QuicTransport& transport_;
  const std::string target_;
  DatagramFlows::Id id_ = 0;
};

Result<std::unique_ptr<QuicTransport>> QuicTransport::create(asio::io_context& context,
                                                             dataplane::dns::Resolver& resolver,
                                                             ClientSettings settings) {
  Result<protocol::Spec> spec = protocol::Spec::derive(settings.spec);
  if (!spec) return fail(spec.error());
  auto tls = quic::ClientTls::make(quic_trust(settings));
  if (!tls) return fail(tls.error());
  std::unique_ptr<QuicTransport> transport(
      new QuicTransport(context, resolver, std::move(settings), std::move(*spec)));
  transport->tls_ = std::move(*tls);
  if (const Result<> started = transport->endpoint_->start(); !started) {
    return fail(started.error());
  }
  return transport;
}

QuicTransport::QuicTransport(asio::io_context& context, dataplane::dns::Resolver& resolver,
                             ClientSettings settings, protocol::Spec spec)
    : resolver_(resolver),
      settings_(std::move(settings)),
      spec_(std::move(spec)),
      key_(settings_.key.reveal()),
      endpoint_(quic::Endpoint::client(context, quic_settings(settings_))),
      backoff_(kBackoffBase, kBackoffCap, crypto::random_u64()),
      changed_(context.get_executor(), asio::steady_timer::time_point::max()),
      gate_(context.get_executor()) {}

QuicTransport::~QuicTransport() = default;

void QuicTransport::start() {
  gate_.spawn(session_loop());
}

async::Task<> QuicTransport::session_loop() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!stopping_) {
    const SteadyTime began = SystemClock::instance().steady_now();
    last_error_ = co_await session();
    if (SystemClock::instance().steady_now() - began >= kProven) backoff_.reset();
    if (stopping_) co_return;
    report(*last_error_);
    const bool waited = co_await async::sleep_for(backoff_.next());
    if (!waited) co_return;
  }
}

async::Task<Error> QuicTransport::session() {
  const SteadyTime deadline =
      deadline_after(SystemClock::instance().steady_now(), settings_.connect_timeout);
  Result<ConnectionPtr> made = co_await connect(deadline);
  if (!made) co_return made.error();
  const ConnectionPtr connection = std::move(*made);
  // The first stream, before anything else (portal 18, "QUIC start"). A server that grants none,
  // which is no Portal, would be waited for as long as it answers our PINGs.
  const auto left = deadline - SystemClock::instance().steady_now();
  auto auth = co_await async::within(connection->open_stream(), left);
  if (!auth) {
    connection->close(0, {});
    co_return Error(Errc::timed_out, "no stream was granted");
  }
  if (!*auth) co_return ending_error(*connection);
  const Result<> sent = co_await authenticate(
      ***auth, protocol::encode_auth_frame(spec_, key_, protocol::fresh_nonce()));
  if (!sent || stopping_) co_return ending_error(*connection);
  connection_ = connection;
  changed_.cancel();
  gate_.spawn(datagram_loop(connection));
  co_await connection->ended();
  connection_ = nullptr;
  co_return ending_error(*connection);
}

async::Task<Result<>> QuicTransport::authenticate(quic::Stream& stream, protocol::Frame frame) {
  Result<> done = co_await stream.write_all(std::as_bytes(std::span(frame)));
  if (done) done = co_await stream.finish();
  co_return done;
}

async::Task<Result<QuicTransport::ConnectionPtr>> QuicTransport::connect(SteadyTime deadline) {
  const auto addresses =
      co_await portal_addresses(resolver_, settings_.host, settings_.port, deadline);
  if (!addresses) co_return fail(addresses.error());
  // One after the other, an attempt each.
  const net::Endpoint& to = (*addresses)[attempts_++ % addresses->size()];
  auto connection = endpoint_->connect(to, tls_, settings_.host);
  if (!connection) co_return fail(Error(Errc::unreachable, connection.error().text()));
  if (const Result<> shaken = co_await (*connection)->handshake(); !shaken) {
    (*connection)->close(0, {});
    const bool late = shaken.error().code == make_error_code(quic::Errc::handshake_timeout);
    co_return fail(late ? Error(Errc::timed_out, to.text())
                        : Error(Errc::handshake_failed, shaken.error().text()));
  }
  co_return std::move(*connection);
}

async::Task<> QuicTransport::datagram_loop(ConnectionPtr connection) {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (co_await connection->wait_for_datagram()) {
    while (const auto datagram = connection->front_datagram()) {
      deliver(*datagram);
      connection->pop_datagram();
    }
  }
}

void QuicTransport::deliver(std::span<const std::uint8_t> datagram) {
  const Result<protocol::DatagramView> view = protocol::decode_datagram(spec_, datagram);
  if (!view || view->type != protocol::DatagramType::response) return;
  UdpReceiver* receiver = flows_.match(view->flow_id, view->target);
  if (receiver != nullptr) receiver->on_packet(view->payload);
}

bool QuicTransport::send(quic::Connection& connection, protocol::DatagramType type,
                         DatagramFlows::Id id, const std::string& target,
                         std::span<const std::uint8_t> payload) const {
  std::array<std::uint8_t, protocol::datagram_header_size(protocol::kMaxTarget)> header;
  const std::size_t size = protocol::encode_datagram_header(spec_, type, id, target, header);
  return connection.send_datagram(std::span(header).first(size), payload);
}

async::Task<bool> QuicTransport::wait_changed() {
  co_await changed_.async_wait(async::kTuple);
  co_return true;
}

async::Task<Result<QuicTransport::ConnectionPtr>> QuicTransport::wait_connected(
    SteadyTime deadline) {
  while (!stopping_ && !connection_) {
    const auto left = deadline - SystemClock::instance().steady_now();
    if (left <= left.zero()) co_return fail(last_error_.value_or(Error(Errc::timed_out)));
    co_await async::within(wait_changed(), left);
    const bool stop = co_await async::cancelled();
    if (stop) co_return fail(Errc::stopped);
  }
  if (stopping_) co_return fail(Errc::stopped);
  co_return connection_;
}

async::Task<Result<std::unique_ptr<relay::ByteStream>>> QuicTransport::open_tcp(
    std::string target) {
  co_await asio::this_coro::throw_if_cancelled(false);
  // No switch on QUIC: the Portal would end the stream.
  if (target == protocol::kUotTarget) co_return fail(Errc::bad_target);
  const Result<protocol::Frame> request = protocol::encode_tcp_request(spec_, target);
  if (!request) co_return fail(Error(Errc::bad_target, target));
  const SteadyTime deadline =
      deadline_after(SystemClock::instance().steady_now(), settings_.connect_timeout);
  while (true) {
    const Result<ConnectionPtr> connection = co_await wait_connected(deadline);
    if (!connection) co_return fail(connection.error());
    const auto left = deadline - SystemClock::instance().steady_now();
    auto stream = co_await async::within((*connection)->open_stream(), left);
    const bool stop = co_await async::cancelled();
    if (stop || stopping_) co_return fail(Errc::stopped);
    if (!stream) co_return fail(Error(Errc::timed_out, "no stream was granted"));
    if (*stream) {
      backoff_.reset();  // whoever grants streams has let us in
      const Result<> sent = co_await (**stream)->write_all(std::as_bytes(std::span(*request)));
      if (!sent) co_return fail(Error(Errc::connection_lost, sent.error().text()));
      co_return std::move(**stream);
    }
    const Error why = ending_error(**connection);
    if (why.code == make_error_code(Errc::access_denied)) co_return fail(why);
    // The connection ended meanwhile; nothing of the user's went with it.
    if (connection_ == *connection) connection_ = nullptr;
  }
}

async::Task<Result<std::unique_ptr<UdpFlow>>> QuicTransport::open_udp(std::string target,
                                                                      UdpReceiver& receiver) {
  co_await asio::this_coro::throw_if_cancelled(false);
  if (!protocol::check_target(target)) co_return fail(Error(Errc::bad_target, target));
  const Result<ConnectionPtr> connection = co_await wait_connected(
      deadline_after(SystemClock::instance().steady_now(), settings_.connect_timeout));
  if (!connection) co_return fail(connection.error());
  co_return std::make_unique<Flow>(*this, std::move(target), receiver);
}

void QuicTransport::request_stop() {
  if (stopping_) return;
  stopping_ = true;
  changed_.cancel();
}

async::Task<bool> QuicTransport::drain(std::chrono::steady_clock::duration grace) {
  request_stop();
  gate_.close();
  if (connection_) connection_->close(0, {});
  endpoint_->request_stop();
  gate_.request_stop();
  co_await gate_.drain(std::chrono::seconds(10));
  co_return co_await endpoint_->drain(grace);
}

}  // namespace portunus::portal::client
