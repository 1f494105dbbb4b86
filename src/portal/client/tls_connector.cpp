#include "portal/client/tls_connector.hpp"

#include <poll.h>

#include <boost/asio/this_coro.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/async/within.hpp"
#include "common/base/deadline.hpp"
#include "common/base/scope_exit.hpp"
#include "common/net/asio_endpoint.hpp"
#include "portal/client/abort_at.hpp"
#include "portal/client/addresses.hpp"
#include "portal/client/errc.hpp"

namespace portunus::portal::client {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

/// Half of what a Portal admits: it may notice a frame later than we have sent it.
constexpr unsigned kMostAtOnce = 16;

tls::ClientTlsSettings tls_settings(const ClientSettings& settings) {
  using Kind = tls::ClientTrust::Kind;
  tls::ClientTlsSettings out;
  out.alpn = settings.alpn;
  out.trust.roots_path = settings.roots_path;
  switch (settings.trust) {
    case Trust::system:
      out.trust.kind = Kind::system;
      out.trust.name = settings.host;
      break;
    case Trust::pin:
      out.trust.kind = Kind::pin;
      out.trust.pin = settings.pin;
      break;
    case Trust::anything:
      out.trust.kind = Kind::anything;
      break;
  }
  // Means nothing to the Portal; what stands before one may route by it.
  if (!net::IpAddress::parse(settings.host)) out.server_name = settings.host;
  return out;
}

}  // namespace

bool TlsConnection::alive() const {
  pollfd state{descriptor, POLLRDHUP, 0};
  return ::poll(&state, 1, 0) == 0;
}

Result<std::unique_ptr<TlsConnector>> TlsConnector::create(asio::any_io_executor executor,
                                                           dataplane::dns::Resolver& resolver,
                                                           const ClientSettings& settings,
                                                           const protocol::Spec& spec) {
  auto context = tls::ClientContext::create(tls_settings(settings));
  if (!context) return fail(context.error());
  return std::unique_ptr<TlsConnector>(
      new TlsConnector(std::move(executor), resolver, settings, spec, std::move(*context)));
}

TlsConnector::TlsConnector(asio::any_io_executor executor, dataplane::dns::Resolver& resolver,
                           const ClientSettings& settings, const protocol::Spec& spec,
                           std::unique_ptr<tls::ClientContext> context)
    : executor_(std::move(executor)),
      resolver_(resolver),
      settings_(settings),
      spec_(spec),
      key_(settings.key.reveal()),
      context_(std::move(context)) {}

async::Task<Result<TlsConnection>> TlsConnector::connect() {
  co_await asio::this_coro::throw_if_cancelled(false);
  const SteadyTime deadline =
      deadline_after(SystemClock::instance().steady_now(), settings_.connect_timeout);
  if (stopping_) co_return fail(Errc::stopped);
  if (const Result<> turn = co_await take_turn(deadline); !turn) co_return fail(turn.error());
  const ScopeExit over([this] { give_turn(); });
  Result<Tcp::socket> socket = co_await dial(deadline);
  if (!socket) co_return fail(socket.error());
  if (stopping_) co_return fail(Errc::stopped);
  TlsConnection connection;
  connection.descriptor = socket->native_handle();
  connection.stream = std::make_unique<tls::TlsStream>(std::move(*socket), *context_);
  const auto place = securing_.insert(securing_.end(), connection.stream.get());
  const Result<> done = co_await secure(*connection.stream, deadline);
  securing_.erase(place);
  if (!done) co_return fail(done.error());
  co_return connection;
}

async::Task<Result<>> TlsConnector::take_turn(SteadyTime deadline) {
  if (in_turn_ < kMostAtOnce) {
    ++in_turn_;
    co_return Result<>{};
  }
  Waiter waiter{asio::steady_timer(executor_, deadline)};
  const auto place = waiting_.insert(waiting_.end(), &waiter);
  co_await waiter.timer.async_wait(async::kTuple);
  if (waiter.has_turn) co_return Result<>{};
  waiting_.erase(place);
  co_return fail(stopping_ ? Errc::stopped : Errc::timed_out);
}

/// To whoever has waited longest.
void TlsConnector::give_turn() {
  if (waiting_.empty()) {
    --in_turn_;
    return;
  }
  Waiter& next = *waiting_.front();
  waiting_.pop_front();
  next.has_turn = true;
  next.timer.cancel();
}

async::Task<Result<Tcp::socket>> TlsConnector::dial(SteadyTime deadline) {
  const auto addresses =
      co_await portal_addresses(resolver_, settings_.host, settings_.port, deadline);
  if (!addresses) co_return fail(addresses.error());
  Error last(Errc::unreachable);
  for (const net::Endpoint& address : *addresses) {
    const auto left = deadline - SystemClock::instance().steady_now();
    if (stopping_ || left <= left.zero()) break;
    auto socket = co_await async::within(connect_to(address), left);
    if (stopping_) co_return fail(Errc::stopped);
    if (!socket) co_return fail(Error(Errc::timed_out, address.text()));
    if (*socket) co_return std::move(**socket);
    last = socket->error();
  }
  co_return fail(stopping_ ? Error(Errc::stopped) : last);
}

async::Task<Result<Tcp::socket>> TlsConnector::connect_to(net::Endpoint to) {
  Tcp::socket socket(executor_);
  const auto endpoint = net::asio_endpoint<Tcp>(to);
  const auto place = dialing_.insert(dialing_.end(), &socket);
  const auto [ec] = co_await socket.async_connect(endpoint, async::kTuple);
  dialing_.erase(place);
  if (ec) co_return fail(Error(Errc::unreachable, to.text() + ": " + ec.message()));
  co_return socket;
}

async::Task<Result<>> TlsConnector::secure(tls::TlsStream& stream, SteadyTime deadline) {
  const AbortAt bound(executor_, stream, deadline);
  if (const Result<> shaken = co_await stream.handshake(); !shaken) {
    co_return fail(why(shaken.error(), bound.expired()));
  }
  const protocol::Frame frame = protocol::encode_auth_frame(spec_, key_, protocol::fresh_nonce());
  if (const Result<> sent = co_await stream.write_all(std::as_bytes(std::span(frame))); !sent) {
    co_return fail(why(sent.error(), bound.expired()));
  }
  stream.keep_alive();
  co_return Result<>();
}

Error TlsConnector::why(const Error& error, bool expired) const {
  if (stopping_) return Errc::stopped;
  if (expired) return Error(Errc::timed_out, settings_.endpoint_text());
  return Error(Errc::handshake_failed, error.text());
}

void TlsConnector::request_stop() {
  stopping_ = true;
  for (Waiter* waiter : waiting_) waiter->timer.cancel();
  for (Tcp::socket* socket : dialing_) {
    boost::system::error_code ignored;
    socket->close(ignored);
  }
  for (tls::TlsStream* stream : securing_) stream->abort();
}

}  // namespace portunus::portal::client
