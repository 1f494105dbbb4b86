#pragma once

#include <netinet/in.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "common/net/unique_fd.hpp"
#include "tests/dataplane/support/sockets.hpp"

namespace portunus::test {

/// A UDP port of the IPv4 wildcard, and `count - 1` after it, that nobody had a moment ago.
std::uint16_t free_udp_port(std::uint32_t count = 1);

/// A blocking UDP socket on loopback whose receive gives up after a while.
class UdpSocket {
 public:
  /// Bound to that address, "127.0.0.1" or "::1", and port (0 = any).
  explicit UdpSocket(const std::string& address = "127.0.0.1", std::uint16_t port = 0);

  int fd() const { return fd_.get(); }
  std::uint16_t port() const { return port_; }
  /// Only that peer from now on.
  void connect(std::uint16_t port, const std::string& address = "127.0.0.1");
  /// To whom it is connected. False with errno.
  bool send(const std::string& bytes);
  bool send_to(const std::string& bytes, const sockaddr_storage& to);
  void send_to_port(const std::string& bytes, std::uint16_t port);

  struct Received {
    std::string bytes;
    sockaddr_storage from;
    std::uint16_t from_port;
  };
  std::optional<Received> receive_from(std::chrono::milliseconds patience = kPatience);
  /// The bytes alone.
  std::optional<std::string> receive(std::chrono::milliseconds patience = kPatience);
  /// True while nothing is there, for a moment.
  bool silent(std::chrono::milliseconds moment = std::chrono::milliseconds(60));
  bool pending(std::chrono::milliseconds patience = std::chrono::milliseconds(0)) const;
  void close() { fd_.reset(); }

 private:
  net::UniqueFd fd_;
  std::uint16_t port_ = 0;
};

/// Answers every datagram on a thread of its own until destroyed: an echo by default.
class UdpServer {
 public:
  using Answer = std::function<std::string(const std::string& request)>;
  explicit UdpServer(Answer answer = {}, const std::string& address = "127.0.0.1");
  ~UdpServer();
  UdpServer(const UdpServer&) = delete;
  UdpServer& operator=(const UdpServer&) = delete;
  std::uint16_t port() const { return socket_.port(); }
  std::uint64_t requests() const { return requests_; }

 private:
  void run(const std::stop_token& stop);
  UdpSocket socket_;
  Answer answer_;
  std::atomic<std::uint64_t> requests_{0};
  std::jthread thread_;
};

}  // namespace portunus::test
