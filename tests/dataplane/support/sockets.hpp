#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "common/net/unique_fd.hpp"

namespace portunus::test {

/// What a test waits for at most, sanitizers included.
inline constexpr std::chrono::seconds kPatience(20);

/// Polls until true; false when patience is over.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds patience = kPatience);

/// A port that nobody listened on a moment ago, below the ephemeral range.
std::uint16_t free_port();
/// The first of `count` such ports in a row.
std::uint16_t free_ports(std::uint32_t count);

/// A blocking TCP socket whose calls give up after kPatience.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd);

  static Socket connect_v4(std::uint16_t port);
  static Socket connect_v6(std::uint16_t port);
  /// Not valid() when refused.
  static Socket try_connect(std::uint16_t port);

  bool valid() const { return fd_.valid(); }
  int fd() const { return fd_.get(); }
  /// Of this socket's own end.
  std::uint16_t local_port() const;

  /// False when the connection broke.
  bool send(const std::string& text, int flags = 0);
  /// What fits without waiting.
  std::size_t send_what_fits(const std::string& text);
  /// Exactly `size` bytes, or what came before the end or an error.
  std::string receive(std::size_t size);
  /// Everything up to the end; error() tells whether it was a clean one.
  std::string receive_all();
  /// errno of the last receive, 0 after a clean end.
  int error() const { return error_; }
  void half_close();
  void close() { fd_.reset(); }
  /// Closes with a reset.
  void reset();
  void set_receive_buffer(int bytes);

 private:
  net::UniqueFd fd_;
  int error_ = 0;
};

/// A listening socket on 127.0.0.1, or ::1; port 0 takes a free one.
class Acceptor {
 public:
  explicit Acceptor(int backlog = 1024, bool v6 = false, std::uint16_t port = 0);
  std::uint16_t port() const { return port_; }
  Socket accept();
  /// True when a connection is waiting.
  bool pending(std::chrono::milliseconds patience = std::chrono::milliseconds(0));

 private:
  net::UniqueFd fd_;
  std::uint16_t port_ = 0;
};

/// A target that answers no handshake: its accept queue is full.
class SilentTarget {
 public:
  SilentTarget() : acceptor_(0), filler_(Socket::connect_v4(acceptor_.port())) {}
  std::uint16_t port() const { return acceptor_.port(); }

 private:
  Acceptor acceptor_;
  Socket filler_;
};

/// Serves every connection on a thread of its own until stopped: an echo by default.
class Server {
 public:
  explicit Server(std::function<void(Socket)> serve = echo);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  std::uint16_t port() const { return acceptor_.port(); }
  static void echo(Socket socket);

 private:
  void run(const std::stop_token& stop);
  Acceptor acceptor_;
  std::function<void(Socket)> serve_;
  std::jthread thread_;
};

/// A port that refuses connections.
std::uint16_t refused_port();

/// The same bytes for the same seed, without short repetitions.
std::string noise(std::size_t size, std::uint64_t seed);

/// Descriptors of this process whose link starts with `kind` ("socket:", "pipe:"); all for "".
std::size_t count_descriptors(const std::string& kind = "");
/// A descriptor of this process, other than `own`, that is connected to `peer_port`.
std::optional<int> find_connected(std::uint16_t peer_port, int own);
/// Bytes in the kernel's receive and send queue of a socket.
std::size_t receive_queue(int fd);
std::size_t send_queue(int fd);

}  // namespace portunus::test
