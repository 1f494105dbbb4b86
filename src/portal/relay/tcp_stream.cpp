#include "portal/relay/tcp_stream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
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

Task<Result<std::size_t>> TcpStream::read_some(std::span<std::byte> into) {
  if (into.empty()) co_return 0;
  if (aborted_) co_return fail(Errc::aborted);
  const auto [ec, n] =
      co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), kTuple);
  if (ec == asio::error::eof) co_return 0;
  if (ec) co_return fail(failure(ec));
  co_return n;
}

Task<Result<>> TcpStream::write_all(std::span<const std::byte> bytes) {
  if (aborted_) co_return fail(Errc::aborted);
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
