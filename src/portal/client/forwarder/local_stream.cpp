#include "portal/client/forwarder/local_stream.hpp"

#include <sys/socket.h>

#include <utility>

namespace portunus::portal::client::forwarder {

LocalStream::LocalStream(boost::asio::ip::tcp::socket socket)
    : descriptor_(socket.native_handle()), stream_(std::move(socket)) {}

relay::Task<void> LocalStream::readable() {
  return stream_.readable();
}

relay::Task<Result<std::size_t>> LocalStream::read_some(std::span<std::byte> into) {
  return stream_.read_some(into);
}

relay::Task<Result<>> LocalStream::write_all(std::span<const std::byte> bytes) {
  return stream_.write_all(bytes);
}

relay::Task<Result<>> LocalStream::finish() {
  return stream_.finish();
}

void LocalStream::abort() noexcept {
  // Once: behind the abort the number may be another socket's.
  if (const int fd = std::exchange(descriptor_, -1); fd >= 0) {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  stream_.abort();
}

}  // namespace portunus::portal::client::forwarder
