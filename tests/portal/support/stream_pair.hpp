#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "portal/relay/tcp_stream.hpp"
#include "tests/dataplane/support/sockets.hpp"

namespace portunus::test {

/// A loopback connection: a stream on our side, a blocking socket on the other.
struct StreamPair {
  explicit StreamPair(boost::asio::io_context& context) {
    Acceptor acceptor;
    peer = Socket::connect_v4(acceptor.port());
    const Socket accepted = acceptor.accept();
    boost::asio::ip::tcp::socket socket(context);
    socket.assign(boost::asio::ip::tcp::v4(), ::dup(accepted.fd()));
    stream = std::make_unique<portal::relay::TcpStream>(std::move(socket));
  }
  std::unique_ptr<portal::relay::TcpStream> stream;
  Socket peer;
};

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

/// What has arrived on a socket by now.
inline std::string received_now(int fd) {
  std::string all;
  char part[4096];
  ssize_t n = 0;
  while ((n = ::recv(fd, part, sizeof part, MSG_DONTWAIT)) > 0) {
    all.append(part, static_cast<std::size_t>(n));
  }
  return all;
}

}  // namespace portunus::test
