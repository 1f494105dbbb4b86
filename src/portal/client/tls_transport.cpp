#include "portal/client/tls_transport.hpp"

#include <boost/asio/this_coro.hpp>
#include <span>
#include <utility>

#include "portal/client/errc.hpp"
#include "portal/client/uot_flow.hpp"
#include "portal/protocol/target.hpp"
#include "portal/protocol/tcp_request.hpp"
#include "portal/protocol/uot.hpp"

namespace portunus::portal::client {

namespace asio = boost::asio;

Result<std::unique_ptr<TlsTransport>> TlsTransport::create(asio::any_io_executor executor,
                                                           dataplane::dns::Resolver& resolver,
                                                           ClientSettings settings) {
  Result<protocol::Spec> spec = protocol::Spec::derive(settings.spec);
  if (!spec) return fail(spec.error());
  std::unique_ptr<TlsTransport> transport(
      new TlsTransport(executor, std::move(settings), std::move(*spec)));
  auto connector = TlsConnector::create(executor, resolver, transport->settings_, transport->spec_);
  if (!connector) return fail(connector.error());
  transport->connector_ = std::move(*connector);
  return transport;
}

TlsTransport::TlsTransport(asio::any_io_executor executor, ClientSettings settings,
                           protocol::Spec spec)
    : executor_(executor),
      settings_(std::move(settings)),
      spec_(std::move(spec)),
      pool_(settings_.pool),
      retirement_(executor, asio::steady_timer::time_point::max()),
      warming_(executor),
      flows_(executor) {}

void TlsTransport::start() {
  warming_.spawn(retire_loop());
  const auto slot = pool_.warm_up(SystemClock::instance().steady_now());
  if (slot) warming_.spawn(warm_slot(*slot));
}

async::Task<Result<std::unique_ptr<relay::ByteStream>>> TlsTransport::open_tcp(std::string target) {
  // On TLS the name of the switch would make a packet flow of the stream.
  if (target == protocol::kUotTarget) co_return fail(Errc::bad_target);
  Result<protocol::Frame> request = protocol::encode_tcp_request(spec_, target);
  if (!request) co_return fail(Error(Errc::bad_target, target));
  co_return co_await open(std::move(*request));
}

async::Task<Result<std::unique_ptr<UdpFlow>>> TlsTransport::open_udp(std::string target,
                                                                     UdpReceiver& receiver) {
  Result<protocol::Frame> request = protocol::encode_tcp_request(spec_, protocol::kUotTarget);
  const Result<protocol::Frame> setup = protocol::encode_uot_setup(target);
  if (!request || !setup) co_return fail(Error(Errc::bad_target, target));
  request->insert(request->end(), setup->begin(), setup->end());
  Result<std::unique_ptr<relay::ByteStream>> stream = co_await open(std::move(*request));
  if (!stream) co_return fail(stream.error());
  co_return std::make_unique<UotFlow>(executor_, flows_, std::move(*stream), receiver);
}

async::Task<Result<std::unique_ptr<relay::ByteStream>>> TlsTransport::open(
    protocol::Frame request) {
  const auto bytes = std::as_bytes(std::span(request));
  // A warm connection that broke unnoticed has carried nothing of the user's yet: try the next.
  for (TlsConnection warm = take_warm(); warm.stream && !stopping_; warm = take_warm()) {
    if (const Result<> sent = co_await warm.stream->write_all(bytes); sent) {
      refill();
      co_return std::move(warm.stream);
    }
  }
  if (stopping_) co_return fail(Errc::stopped);
  Result<TlsConnection> fresh = co_await connector_->connect();
  if (!fresh) co_return fail(fresh.error());
  if (const Result<> sent = co_await fresh->stream->write_all(bytes); !sent) {
    co_return fail(Error(Errc::connection_lost, sent.error().text()));
  }
  if (stopping_) co_return fail(Errc::stopped);
  refill();
  co_return std::move(fresh->stream);
}

TlsConnection TlsTransport::take_warm() {
  while (const auto slot = pool_.take(SystemClock::instance().steady_now())) {
    auto taken = idle_.extract(*slot);
    if (taken && taken.mapped().alive()) return std::move(taken.mapped());
  }
  return {};
}

void TlsTransport::refill() {
  if (stopping_) return;
  for (const WarmPool::Slot slot : pool_.used(SystemClock::instance().steady_now())) {
    warming_.spawn(warm_slot(slot));
  }
}

async::Task<> TlsTransport::warm_slot(WarmPool::Slot slot) {
  co_await asio::this_coro::throw_if_cancelled(false);
  Result<TlsConnection> connection = co_await connector_->connect();
  if (!connection || stopping_) {
    pool_.lost(slot);
    if (!stopping_) report(connection.error());
  } else if (pool_.connected(slot)) {
    idle_.emplace(slot, std::move(*connection));
    retirement_.cancel();
  }
}

async::Task<> TlsTransport::retire_loop() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!stopping_) {
    for (const WarmPool::Slot slot : pool_.retire(SystemClock::instance().steady_now())) {
      auto over = idle_.extract(slot);
      // The Portal sees an end before any request, which is how an unused connection ends.
      if (over) co_await over.mapped().stream->finish();
    }
    if (stopping_) break;
    retirement_.expires_at(pool_.next_retirement().value_or(SteadyTime::max()));
    co_await retirement_.async_wait(async::kTuple);
  }
}

void TlsTransport::request_stop() {
  if (stopping_) return;
  stopping_ = true;
  connector_->request_stop();
  for (auto& [slot, connection] : idle_) {
    connection.stream->abort();
    pool_.lost(slot);
  }
  idle_.clear();
  retirement_.cancel();
  warming_.close();
}

async::Task<bool> TlsTransport::drain(std::chrono::steady_clock::duration grace) {
  request_stop();
  flows_.close();
  warming_.request_stop();
  co_await warming_.drain(std::chrono::seconds(10));
  if (co_await flows_.drain(grace)) co_return true;
  flows_.request_stop();
  co_await flows_.drain(std::chrono::seconds(10));
  co_return false;
}

}  // namespace portunus::portal::client
