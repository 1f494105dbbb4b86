#include "portal/relay/tcp_stream.hpp"

#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <utility>

#include "portal/relay/errc.hpp"
#include "portal/relay/socket_endpoints.hpp"

namespace portunus::portal::relay {

namespace asio = boost::asio;
using async::kTuple;

TcpStream::TcpStream(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  peer_ = peer_of(socket_.native_handle());
  local_ = local_of(socket_.native_handle());
}

Error TcpStream::failure(const boost::system::error_code& ec) const {
  if (aborted_ || ec == asio::error::operation_aborted) return Errc::aborted;
  return Error(std::error_code(ec));
}

// While bytes keep coming and going, the calls are made here: each operation of Asio's costs a trip
// through its queue. Only what has to wait is left to it.

Task<void> TcpStream::readable() {
  if (aborted_ || busy_) co_return;
  const auto [ec] = co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, kTuple);
  busy_ = !ec;
}

Task<Result<std::size_t>> TcpStream::read_some(std::span<std::byte> into) {
  if (into.empty()) co_return 0;
  if (aborted_) co_return fail(Errc::aborted);
  if (busy_) {
    const ssize_t n = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
    busy_ = n == static_cast<ssize_t>(into.size());
    if (n >= 0) co_return static_cast<std::size_t>(n);
    // The kernel tells a reset once.
    if (errno != EAGAIN && errno != EINTR) co_return fail_errno(errno);
  }
  const auto [ec, n] =
      co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), kTuple);
  if (ec == asio::error::eof) co_return 0;
  if (ec) co_return fail(failure(ec));
  busy_ = n == into.size();
  co_return n;
}

Task<Result<>> TcpStream::write_all(std::span<const std::byte> bytes) {
  if (aborted_) co_return fail(Errc::aborted);
  const ssize_t sent =
      ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) bytes = bytes.subspan(static_cast<std::size_t>(sent));
  if (bytes.empty()) co_return Result<>{};
  const auto [ec, n] =
      co_await asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()), kTuple);
  if (ec) co_return fail(failure(ec));
  co_return Result<>{};
}

Task<Result<>> TcpStream::finish() {
  if (aborted_) co_return fail(Errc::aborted);
  if (std::exchange(finished_, true)) co_return Result<>{};
  boost::system::error_code ec;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ec);
  if (ec) co_return fail(failure(ec));
  co_return Result<>{};
}

void TcpStream::abort() noexcept {
  aborted_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace portunus::portal::relay
