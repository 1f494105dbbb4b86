#include "tests/dataplane/support/sockets.hpp"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <random>
#include <system_error>
#include <vector>

namespace portunus::test {
namespace {

[[noreturn]] void die(const char* what) {
  throw std::system_error(errno, std::system_category(), what);
}

socklen_t loopback(sockaddr_storage& out, std::uint16_t port, bool v6, bool any = false) {
  out = {};
  if (v6) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    in.sin6_addr = any ? in6addr_any : in6addr_loopback;
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  in.sin_addr.s_addr = htonl(any ? INADDR_ANY : INADDR_LOOPBACK);
  std::memcpy(&out, &in, sizeof in);
  return sizeof in;
}

std::uint16_t port_in(const sockaddr_storage& address) {
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

Socket connect_to(std::uint16_t port, bool v6, bool must) {
  const int fd = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  Socket socket(fd);
  sockaddr_storage address;
  const socklen_t size = loopback(address, port, v6);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) {
    if (must) die("connect");
    return {};
  }
  return socket;
}

bool can_bind(std::uint16_t port, bool v6) {
  const net::UniqueFd fd(::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return v6 && errno == EAFNOSUPPORT;
  const int on = 1;
  if (v6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  sockaddr_storage address;
  const socklen_t size = loopback(address, port, v6, true);
  return ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0;
}

}  // namespace

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

std::uint16_t free_port() {
  return free_ports(1);
}

std::uint16_t free_ports(std::uint32_t count) {
  // Programs that run at the same time start at different places.
  static std::atomic<unsigned> next{static_cast<unsigned>(::getpid()) * 7919U};
  while (true) {
    const unsigned first = 11000 + next.fetch_add(count) % 20000;
    unsigned port = first;
    const auto is_free = [](unsigned number) {
      const auto p = static_cast<std::uint16_t>(number);
      return can_bind(p, true) && can_bind(p, false);
    };
    while (port < first + count && is_free(port)) ++port;
    if (port == first + count) return static_cast<std::uint16_t>(first);
  }
}

std::uint16_t refused_port() {
  const Acceptor gone;
  return gone.port();
}

Socket::Socket(int fd) : fd_(fd) {
  const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Socket Socket::connect_v4(std::uint16_t port) {
  return connect_to(port, false, true);
}
Socket Socket::connect_v6(std::uint16_t port) {
  return connect_to(port, true, true);
}
Socket Socket::try_connect(std::uint16_t port) {
  return connect_to(port, false, false);
}

std::uint16_t Socket::local_port() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(fd(), reinterpret_cast<sockaddr*>(&address), &size);
  return port_in(address);
}

bool Socket::send(const std::string& text, int flags) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::send(fd(), text.data() + done, text.size() - done, flags | MSG_NOSIGNAL);
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  return true;
}

std::size_t Socket::send_what_fits(const std::string& text) {
  const ssize_t n = ::send(fd(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return n > 0 ? static_cast<std::size_t>(n) : 0;
}

std::string Socket::receive(std::size_t size) {
  std::string out(size, '\0');
  std::size_t done = 0;
  error_ = 0;
  while (done < size) {
    const ssize_t n = ::recv(fd(), out.data() + done, size - done, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) error_ = errno;
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  out.resize(done);
  return out;
}

std::string Socket::receive_all() {
  std::string out;
  while (true) {
    const std::string part = receive(1 << 18);
    out += part;
    if (part.size() < 1 << 18) return out;
  }
}

void Socket::half_close() {
  ::shutdown(fd(), SHUT_WR);
}

void Socket::reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  fd_.reset();
}

void Socket::set_receive_buffer(int bytes) {
  ::setsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

Acceptor::Acceptor(int backlog, bool v6, std::uint16_t port)
    : fd_(::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int on = 1;
  // A target that comes back may find connections of its predecessor.
  if (port != 0) ::setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_storage address;
  socklen_t size = loopback(address, port, v6);
  if (::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) die("bind");
  if (::listen(fd_.get(), backlog) != 0) die("listen");
  ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port_ = port_in(address);
}

bool Acceptor::pending(std::chrono::milliseconds patience) {
  pollfd p{fd_.get(), POLLIN, 0};
  return ::poll(&p, 1, static_cast<int>(patience.count())) == 1;
}

Socket Acceptor::accept() {
  if (!pending(kPatience)) die("nothing to accept");
  const int fd = ::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) die("accept");
  return Socket(fd);
}

Server::Server(std::function<void(Socket)> serve)
    : serve_(std::move(serve)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

Server::~Server() {
  thread_.request_stop();
}

void Server::run(const std::stop_token& stop) {
  std::vector<std::jthread> connections;
  while (!stop.stop_requested()) {
    if (!acceptor_.pending(std::chrono::milliseconds(10))) continue;
    connections.emplace_back(
        [this, s = std::make_shared<Socket>(acceptor_.accept())] { serve_(std::move(*s)); });
  }
}

void Server::echo(Socket socket) {
  std::string buffer(1 << 16, '\0');
  while (true) {
    const ssize_t n = ::recv(socket.fd(), buffer.data(), buffer.size(), 0);
    if (n <= 0) break;
    if (!socket.send(buffer.substr(0, static_cast<std::size_t>(n)))) break;
  }
}

std::string noise(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; i += sizeof(std::uint64_t)) {
    const std::uint64_t word = generator();
    std::memcpy(out.data() + i, &word, std::min(sizeof word, size - i));
  }
  return out;
}

std::size_t count_descriptors(const std::string& kind) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code ec;
    const auto link = std::filesystem::read_symlink(entry.path(), ec).string();
    if (!ec && link.starts_with(kind)) ++count;
  }
  return count;
}

std::optional<int> find_connected(std::uint16_t peer_port, int own) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename().string());
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (fd == own || ::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) continue;
    if (port_in(address) == peer_port) return fd;
  }
  return std::nullopt;
}

std::size_t receive_queue(int fd) {
  int bytes = 0;
  ::ioctl(fd, SIOCINQ, &bytes);
  return static_cast<std::size_t>(bytes);
}

std::size_t send_queue(int fd) {
  int bytes = 0;
  ::ioctl(fd, SIOCOUTQ, &bytes);
  return static_cast<std::size_t>(bytes);
}

}  // namespace portunus::test
