// Fixed work on UDP: 8 flows, on each of them 100 bursts of 32 datagrams of 1200 bytes, every burst
// answered with one of 64 bytes each. No arguments; exits 0 when every byte arrived and was
// counted.

#include <sys/socket.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "bench/dataplane/fixed_work.hpp"

namespace {

using namespace portunus;
using bench::give_up;
using net::UniqueFd;

constexpr int kFlows = 8;
constexpr int kBursts = 100;
constexpr unsigned kBurst = 32;
constexpr std::size_t kQuestionBytes = 1200;
constexpr std::size_t kAnswerBytes = 64;

UniqueFd udp_socket() {
  UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) give_up("socket");
  return fd;
}

void send_burst(const UniqueFd& fd, std::string& datagram, sockaddr_in to) {
  iovec vector{datagram.data(), datagram.size()};
  std::array<mmsghdr, kBurst> messages{};
  for (mmsghdr& message : messages) {
    message.msg_hdr.msg_name = &to;
    message.msg_hdr.msg_namelen = sizeof to;
    message.msg_hdr.msg_iov = &vector;
    message.msg_hdr.msg_iovlen = 1;
  }
  if (::sendmmsg(fd.get(), messages.data(), kBurst, 0) != static_cast<int>(kBurst)) {
    give_up("sendmmsg");
  }
}

/// Where the last of them came from.
sockaddr_in expect_burst(const UniqueFd& fd, std::string_view datagram) {
  std::array<char, 2 * kQuestionBytes> got;
  sockaddr_in from{};
  for (unsigned i = 0; i < kBurst; ++i) {
    socklen_t size = sizeof from;
    const ssize_t n =
        ::recvfrom(fd.get(), got.data(), got.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (n < 0) give_up("recvfrom");
    if (std::string_view(got.data(), static_cast<std::size_t>(n)) != datagram) {
      give_up("other bytes than sent");
    }
  }
  return from;
}

async::Task<bool> work(dataplane::Forwarder& engine) {
  const UniqueFd target = udp_socket();
  const std::uint16_t target_port = bench::bind_loopback(target);
  const std::uint16_t port = co_await bench::activate(engine, model::Protocol::udp, target_port);
  std::vector<UniqueFd> clients;
  for (int i = 0; i < kFlows; ++i) clients.push_back(udp_socket());
  std::string question(kQuestionBytes, 'q');
  std::string answer(kAnswerBytes, 'a');
  for (int i = 0; i < kBursts; ++i) {
    for (const UniqueFd& client : clients) {
      send_burst(client, question, bench::loopback(port));
      send_burst(target, answer, expect_burst(target, question));
      expect_burst(client, answer);
    }
  }
  constexpr std::uint64_t kDatagrams = std::uint64_t{kFlows} * kBursts * kBurst;
  co_return co_await bench::all_counted(engine, kDatagrams * kQuestionBytes,
                                        kDatagrams * kAnswerBytes);
}

}  // namespace

int main() {
  return bench::run_fixed_work(&work);
}
