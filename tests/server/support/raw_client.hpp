#pragma once

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "common/net/endpoint.hpp"
#include "common/net/unique_fd.hpp"

namespace portunus::server::testing {

/// A blocking TCP client that sends exactly the bytes it is given. Every read gives up after ten
/// seconds.
class RawClient {
 public:
  explicit RawClient(const net::Endpoint& server)
      : fd_(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{10, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_storage storage{};
    const socklen_t length = server.to_sockaddr(storage);
    connected_ = ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0;
  }

  bool connected() const { return connected_; }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  void half_close() { ::shutdown(fd_.get(), SHUT_WR); }

  /// What is there, at most `most` bytes; waits for the first of them.
  std::string read_some(std::size_t most) {
    while (buffer_.size() < most && (buffer_.empty() || more_there())) {
      if (!fill()) break;
    }
    return take(std::min(most, buffer_.size()));
  }
  /// Everything until the peer closes.
  std::string read_all() {
    while (fill()) {
    }
    return std::exchange(buffer_, {});
  }
  /// Through the next `mark`.
  std::string read_through(std::string_view mark) { return take(until(mark)); }
  /// Through the end of the next header.
  std::string read_head() { return read_through("\r\n\r\n"); }
  /// One response with its Content-Length body.
  std::string read_response() {
    std::string head = read_head();
    std::string lower;
    for (const char c : head) lower += static_cast<char>(std::tolower(c));
    const std::size_t at = lower.find("content-length: ");
    if (at == std::string::npos) return head;
    const std::size_t length = std::strtoul(lower.c_str() + at + 16, nullptr, 10);
    while (buffer_.size() < length && fill()) {
    }
    return head + take(length);
  }
  /// True when the peer closes without sending anything more.
  bool closed() {
    char byte = 0;
    return buffer_.empty() && ::recv(fd_.get(), &byte, 1, 0) <= 0;
  }

 private:
  bool more_there() {
    char byte = 0;
    return ::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  }
  bool fill() {
    char chunk[8192];
    const ssize_t n = ::recv(fd_.get(), chunk, sizeof chunk, 0);
    if (n <= 0) return false;
    buffer_.append(chunk, static_cast<std::size_t>(n));
    return true;
  }
  std::size_t until(std::string_view mark) {
    while (true) {
      const std::size_t at = buffer_.find(mark);
      if (at != std::string::npos) return at + mark.size();
      if (!fill()) return buffer_.size();
    }
  }
  std::string take(std::size_t n) {
    std::string out = buffer_.substr(0, n);
    buffer_.erase(0, n);
    return out;
  }

  net::UniqueFd fd_;
  bool connected_ = false;
  std::string buffer_;
};

}  // namespace portunus::server::testing
