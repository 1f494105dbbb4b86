#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "common/net/endpoint.hpp"
#include "common/net/unique_fd.hpp"

namespace portunus::server::testing {

/// A loopback socket bound to a free port.
inline net::UniqueFd bind_loopback(net::Endpoint& endpoint) {
  net::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  socklen_t length = net::Endpoint::parse("127.0.0.1:0")->to_sockaddr(storage);
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (::bind(fd.get(), address, length) != 0) return {};
  length = sizeof storage;
  ::getsockname(fd.get(), address, &length);
  endpoint = net::Endpoint::from_sockaddr(storage).value_or(net::Endpoint());
  return fd;
}

/// A port that refuses connections for as long as this lives, and that nobody else can take.
class DeafPort {
 public:
  std::string endpoint() const { return endpoint_.text(); }

 private:
  net::Endpoint endpoint_;
  net::UniqueFd fd_ = bind_loopback(endpoint_);
};

/// An HTTP server on loopback that gives every request the same bytes as its answer, then closes.
/// An empty answer keeps silent until the caller gives up.
class HttpStub {
 public:
  explicit HttpStub(std::string answer)
      : answer_(std::move(answer)), listener_(bind_loopback(endpoint_)) {
    if (::listen(listener_.get(), 8) != 0) return;
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpStub() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
  }
  HttpStub(const HttpStub&) = delete;
  HttpStub& operator=(const HttpStub&) = delete;

  /// "HTTP/1.1 <status>" with a JSON body.
  static std::string json(std::string_view status, std::string_view body) {
    return "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: application/json\r\n" +
           "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
           std::string(body);
  }
  static std::string fault(std::string_view status, std::string_view code,
                           std::string_view message) {
    return json(status, R"({"error":{"code":")" + std::string(code) + R"(","message":")" +
                            std::string(message) + R"("}})");
  }

  std::string endpoint() const { return endpoint_.text(); }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    while (true) {
      const net::UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!peer) return;
      std::string request = receive(peer.get());
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(std::move(request));
      }
      for (std::string_view rest = answer_; !rest.empty();) {
        const ssize_t n = ::send(peer.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (n <= 0) break;
        rest.remove_prefix(static_cast<std::size_t>(n));
      }
      if (answer_.empty()) wait_for_end(peer.get());
    }
  }

  static void wait_for_end(int fd) {
    char byte = 0;
    while (::recv(fd, &byte, 1, 0) > 0) {
    }
  }

  /// One request with its Content-Length body.
  static std::string receive(int fd) {
    std::string text;
    while (true) {
      const std::size_t head = text.find("\r\n\r\n");
      if (head != std::string::npos) {
        const std::size_t at = text.find("Content-Length: ");
        const std::size_t body = at < head ? std::strtoul(text.c_str() + at + 16, nullptr, 10) : 0;
        if (text.size() >= head + 4 + body) return text;
      }
      char chunk[4096];
      const ssize_t n = ::recv(fd, chunk, sizeof chunk, 0);
      if (n <= 0) return text;
      text.append(chunk, static_cast<std::size_t>(n));
    }
  }

  const std::string answer_;
  net::Endpoint endpoint_;
  net::UniqueFd listener_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace portunus::server::testing
