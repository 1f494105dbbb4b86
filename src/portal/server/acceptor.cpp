#include "portal/server/acceptor.hpp"

#include <sys/socket.h>

#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>

#include "common/async/within.hpp"
#include "common/net/accept_error.hpp"

namespace portunus::portal::server {
namespace {

namespace asio = boost::asio;
using async::kTuple;

constexpr int kMostPerWakeup = 10;
constexpr std::chrono::milliseconds kPause(100);

}  // namespace

Acceptor::Acceptor(asio::io_context& context, ListenSocket socket, AcceptSink& sink, log::Log& log)
    : acceptor_(context), local_(socket.local), sink_(sink), log_(log) {
  const auto protocol = local_.address().is_v6() ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
  acceptor_.assign(protocol, socket.fd.release());
}

async::Task<void> Acceptor::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (true) {
    const auto [ec] = co_await acceptor_.async_wait(asio::socket_base::wait_read, kTuple);
    if (ec) co_return;
    Taken last = Taken::one;
    for (int i = 0; i < kMostPerWakeup && last == Taken::one; ++i) last = accept_one();
    if (last != Taken::failed) continue;
    const bool waited = co_await async::sleep_for(kPause);
    if (!waited) co_return;
  }
}

Acceptor::Taken Acceptor::accept_one() {
  while (true) {
    sockaddr_storage address;
    socklen_t size = sizeof address;
    net::UniqueFd fd(::accept4(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&address),
                               &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      const auto peer = net::Endpoint::from_sockaddr(address);
      if (peer) sink_.on_accepted(std::move(fd), *peer);
      return Taken::one;
    }
    const int error = errno;
    if (error == EAGAIN || error == EWOULDBLOCK) return Taken::none;
    if (net::is_of_the_peer(error)) continue;
    log_.write(log::Level::error,
               "portal::accept: " + local_.text() + ": " + std::system_category().message(error));
    return Taken::failed;
  }
}

}  // namespace portunus::portal::server
