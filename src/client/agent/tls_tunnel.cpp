#include "client/agent/tls_tunnel.hpp"

#include <sys/socket.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "client/agent/errc.hpp"
#include "common/async/within.hpp"
#include "common/crypto/pinned_tls.hpp"
#include "common/name_lookup/name_lookup.hpp"

namespace portunus::client::agent {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Local = asio::local::stream_protocol::socket;
using Clock = std::chrono::steady_clock;

/// How long a clean end of the TLS connection may take.
constexpr std::chrono::milliseconds kGoodbye{500};
constexpr std::size_t kBufferBytes = 16 * 1024;

tcp::endpoint to_asio(const net::Endpoint& endpoint) {
  sockaddr_storage storage;
  const socklen_t length = endpoint.to_sockaddr(storage);
  tcp::endpoint out;
  std::memcpy(out.data(), &storage, length);
  out.resize(length);
  return out;
}

/// A cancellation that arrives between two operations ends neither: it has to be asked for.
async::Task<bool> cancelled() {
  const auto state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

async::Task<boost::system::error_code> connect_one(tcp::socket& socket, tcp::endpoint endpoint) {
  auto [ec] = co_await socket.async_connect(endpoint, async::kTuple);
  co_return ec;
}

/// Tries the addresses in order; each may use its share of what is left of the budget, so that a
/// dead first address does not hide a living second one.
async::Task<Result<>> connect_any(tcp::socket& socket, const std::vector<net::Endpoint>& endpoints,
                                  Clock::time_point deadline) {
  Error last(Errc::connect_failed, "no address");
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    const bool stop = co_await cancelled();
    if (stop) break;
    boost::system::error_code ignored;
    socket.close(ignored);
    const auto share = (deadline - Clock::now()) / static_cast<long>(endpoints.size() - i);
    const auto ec = co_await async::within(connect_one(socket, to_asio(endpoints[i])), share);
    if (ec && !*ec) co_return Result<>{};
    if (ec) {
      last = Error(Errc::connect_failed, endpoints[i].text() + ": " + ec->message());
    } else {
      last = Error(Errc::timed_out, "connecting to " + endpoints[i].text());
    }
  }
  co_return fail(last);
}

}  // namespace

class TlsTunnel::Impl {
 public:
  Impl(asio::any_io_executor executor, std::string pin)
      : pinned_(std::move(pin)),
        context_(pinned_.new_context()),
        tls_(executor, context_),
        local_(executor),
        gate_(executor) {}

  async::Task<std::expected<void, Failure>> open(ServerAddress server, Clock::time_point deadline) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto endpoints =
        co_await name_lookup::look_up(server.host(), server.port(), deadline - Clock::now());
    if (!endpoints) co_return failed(endpoints.error());
    const auto connected = co_await connect_any(tls_.next_layer(), *endpoints, deadline);
    if (!connected) co_return failed(connected.error());
    const bool stop = co_await cancelled();
    if (stop) co_return failed({Errc::timed_out, "cancelled"});
    boost::system::error_code ignored;
    tls_.next_layer().set_option(tcp::no_delay(true), ignored);

    if (!server.literal()) {
      crypto::PinnedTls::set_server_name(tls_.native_handle(), server.host());
    }
    const auto ec = co_await async::within(shake_hands(), deadline - Clock::now());
    if (!pinned_.presented().empty() && !pinned_.matched()) {
      co_return std::unexpected(Failure{Errc::pin_mismatch, pinned_.presented()});
    }
    if (!ec) co_return failed({Errc::timed_out, "TLS handshake"});
    if (*ec) co_return failed({Errc::tls_failed, ec->message()});
    // A handshake without a certificate would have asked nobody.
    if (!pinned_.matched()) co_return failed({Errc::tls_failed, "no certificate"});
    if (!crypto::PinnedTls::selected_http2(tls_.native_handle())) co_return failed(Errc::no_http2);
    co_return std::expected<void, Failure>{};
  }

  Result<net::UniqueFd> start() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
      return fail({Errc::no_descriptors, std::generic_category().message(errno)});
    }
    net::UniqueFd remote(ends[1]);
    boost::system::error_code ec;
    local_.assign(asio::local::stream_protocol(), ends[0], ec);
    if (ec) {
      ::close(ends[0]);
      return fail({Errc::no_descriptors, ec.message()});
    }
    gate_.spawn(run());
    return remote;
  }

  async::Task<> close(Clock::duration grace) {
    co_await gate_.drain(grace);
    gate_.request_stop();
    co_await gate_.drain(std::chrono::hours(1));
  }

 private:
  static std::unexpected<Failure> failed(Error error) {
    return std::unexpected(Failure{std::move(error), {}});
  }

  async::Task<boost::system::error_code> shake_hands() {
    auto [ec] = co_await tls_.async_handshake(asio::ssl::stream_base::client, async::kTuple);
    co_return ec;
  }

  async::Task<> run() {
    using namespace asio::experimental::awaitable_operators;  // NOLINT
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await (outgoing() || incoming());
    co_await async::within(leave(), kGoodbye);
    boost::system::error_code ignored;
    tls_.next_layer().close(ignored);
    local_.close(ignored);
  }

  async::Task<> outgoing() {
    co_await asio::this_coro::throw_if_cancelled(false);
    std::vector<char> buffer(kBufferBytes);
    for (;;) {
      const auto [read_error, n] =
          co_await local_.async_read_some(asio::buffer(buffer), async::kTuple);
      if (read_error) co_return;
      const auto [write_error, written] =
          co_await asio::async_write(tls_, asio::buffer(buffer.data(), n), async::kTuple);
      if (write_error) co_return;
    }
  }

  async::Task<> incoming() {
    co_await asio::this_coro::throw_if_cancelled(false);
    std::vector<char> buffer(kBufferBytes);
    for (;;) {
      const auto [read_error, n] =
          co_await tls_.async_read_some(asio::buffer(buffer), async::kTuple);
      if (read_error) co_return;
      const auto [write_error, written] =
          co_await asio::async_write(local_, asio::buffer(buffer.data(), n), async::kTuple);
      if (write_error) co_return;
    }
  }

  /// Says close_notify, ends the TCP stream behind it, and waits for the peer to do the same: many
  /// answer the latter only.
  async::Task<bool> leave() {
    using namespace asio::experimental::awaitable_operators;  // NOLINT
    co_await (say_close_notify() && end_tcp());
    co_return true;
  }

  async::Task<> say_close_notify() { co_await tls_.async_shutdown(async::kTuple); }

  /// Runs once the other has written, which a socket with room does at once.
  async::Task<> end_tcp() {
    boost::system::error_code ignored;
    tls_.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
    co_return;
  }

  crypto::PinnedTls pinned_;
  asio::ssl::context context_;
  asio::ssl::stream<tcp::socket> tls_;
  Local local_;
  async::Gate gate_;
};

TlsTunnel::TlsTunnel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsTunnel::~TlsTunnel() = default;

async::Task<std::expected<std::unique_ptr<TlsTunnel>, TlsTunnel::Failure>> TlsTunnel::open(
    ServerAddress server, std::string pin, Clock::duration budget) {
  const auto deadline = Clock::now() + budget;
  auto impl = std::make_unique<Impl>(co_await asio::this_coro::executor, std::move(pin));
  const auto opened = co_await impl->open(std::move(server), deadline);
  if (!opened) co_return std::unexpected(opened.error());
  co_return std::unique_ptr<TlsTunnel>(new TlsTunnel(std::move(impl)));
}

Result<net::UniqueFd> TlsTunnel::start() {
  return impl_->start();
}
async::Task<> TlsTunnel::close(Clock::duration grace) {
  return impl_->close(grace);
}

}  // namespace portunus::client::agent
