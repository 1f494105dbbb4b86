#include "portal/relay/udp_target.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "portal/relay/errc.hpp"
#include "portal/relay/socket_endpoints.hpp"

namespace portunus::portal::relay {

namespace asio = boost::asio;
using async::kTuple;
using async::Task;

namespace {

Error failure(const boost::system::error_code& ec) {
  if (ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor) {
    return Errc::aborted;
  }
  return Error(std::error_code(ec));
}

}  // namespace

UdpTarget::UdpTarget(asio::ip::udp::socket socket) : socket_(std::move(socket)) {
  remote_ = peer_of(socket_.native_handle()).value_or(net::Endpoint());
  local_ = local_of(socket_.native_handle()).value_or(net::Endpoint());
}

Task<Result<std::size_t>> UdpTarget::receive(std::span<std::byte> into) {
  const auto [ec, n] =
      co_await socket_.async_receive(asio::buffer(into.data(), into.size()), kTuple);
  if (ec) co_return fail(failure(ec));
  co_return n;
}

Result<std::size_t> UdpTarget::try_receive(std::span<std::byte> into) {
  if (!socket_.is_open()) return fail(Errc::aborted);
  const ssize_t n = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
  if (n < 0) return fail_errno(errno);
  return static_cast<std::size_t>(n);
}

Result<bool> UdpTarget::try_send(std::span<const std::byte> packet) {
  if (!socket_.is_open()) return fail(Errc::aborted);
  const ssize_t n =
      ::send(socket_.native_handle(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0) return true;
  if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
  return fail_errno(errno);
}

/// Each operation of Asio's costs a trip through its queue, so only what has to wait is left to it.
Task<Result<>> UdpTarget::send(std::span<const std::byte> packet) {
  const Result<bool> gone = try_send(packet);
  if (!gone) co_return fail(gone.error());
  if (*gone) co_return Result<>{};
  const auto [ec, n] =
      co_await socket_.async_send(asio::buffer(packet.data(), packet.size()), kTuple);
  if (ec) co_return fail(failure(ec));
  co_return Result<>{};
}

void UdpTarget::close() noexcept {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace portunus::portal::relay
