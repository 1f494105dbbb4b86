// Fixed work on TCP: 50 small messages there and back on each of 200 connections, then 64 MiB in
// bulk. No arguments; exits 0 when every byte arrived and was counted.

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/dataplane/fixed_work.hpp"

namespace {

using namespace portunus;
using bench::give_up;
using net::UniqueFd;

constexpr int kConnections = 200;
constexpr int kMessages = 50;
constexpr std::size_t kMessageBytes = 64;
constexpr std::size_t kBulkBytes = std::size_t{64} << 20;
constexpr std::size_t kBulkStep = std::size_t{256} << 10;

UniqueFd tcp_socket() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (!fd || ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
    give_up("socket");
  }
  return fd;
}

void send_all(const UniqueFd& fd, const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::send(fd.get(), bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (n <= 0) give_up("send");
    done += static_cast<std::size_t>(n);
  }
}

void expect(const UniqueFd& fd, std::string_view bytes) {
  static std::array<char, kBulkStep> got;
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::recv(fd.get(), got.data() + done, bytes.size() - done, 0);
    if (n <= 0) give_up("recv");
    done += static_cast<std::size_t>(n);
  }
  if (std::memcmp(got.data(), bytes.data(), bytes.size()) != 0) give_up("other bytes than sent");
}

struct Connection {
  UniqueFd client;
  UniqueFd target;
};

Connection connect(std::uint16_t port, const UniqueFd& listening) {
  const sockaddr_in address = bench::loopback(port);
  UniqueFd client = tcp_socket();
  if (::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    give_up("connect");
  }
  UniqueFd target(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!target) give_up("accept");
  return {std::move(client), std::move(target)};
}

void run_small(std::uint16_t port, const UniqueFd& listening) {
  const std::string question(kMessageBytes, 'q');
  const std::string answer(kMessageBytes, 'a');
  std::vector<Connection> connections;
  for (int i = 0; i < kConnections; ++i) connections.push_back(connect(port, listening));
  for (int i = 0; i < kMessages; ++i) {
    for (const auto& [client, target] : connections) {
      send_all(client, question);
      expect(target, question);
      send_all(target, answer);
      expect(client, answer);
    }
  }
}

void run_bulk(std::uint16_t port, const UniqueFd& listening) {
  std::string step(kBulkStep, '\0');
  for (std::size_t i = 0; i < step.size(); ++i) step[i] = static_cast<char>(i * 31 >> 4);
  const auto [client, target] = connect(port, listening);
  for (std::size_t sent = 0; sent < kBulkBytes; sent += kBulkStep) {
    send_all(client, step);
    expect(target, step);
  }
}

async::Task<bool> work(dataplane::Forwarder& engine) {
  constexpr std::uint64_t kSmall = std::uint64_t{kConnections} * kMessages * kMessageBytes;
  const UniqueFd listening = tcp_socket();
  const std::uint16_t target_port = bench::bind_loopback(listening);
  if (::listen(listening.get(), kConnections) != 0) give_up("listen");
  const std::uint16_t port = co_await bench::activate(engine, model::Protocol::tcp, target_port);
  run_small(port, listening);
  run_bulk(port, listening);
  co_return co_await bench::all_counted(engine, kSmall + kBulkBytes, kSmall);
}

}  // namespace

int main() {
  return bench::run_fixed_work(&work);
}
