// Whole connections over a kernel that takes packets only now and then, or does not split them. The
// system calls are our own here: they stand before those of the C library in the whole program.
#include <gtest/gtest.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "common/datagrams/offload.hpp"
#include "tests/portal/quic/rig.hpp"

namespace {

/// What becomes of the next calls; nothing unless a test says so.
struct Refusals {
  unsigned full_every = 0;  ///< EAGAIN at each n-th call
  bool no_splitting = false;
  unsigned calls = 0;
  unsigned full = 0;
  unsigned unsplit = 0;
} refusals;

bool is_joined(const msghdr& header) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr;
       c = CMSG_NXTHDR(const_cast<msghdr*>(&header), c)) {
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_SEGMENT) return true;
  }
  return false;
}

/// An errno, or 0.
int refusal(const msghdr& first) {
  if (refusals.no_splitting && is_joined(first)) {
    ++refusals.unsplit;
    return EIO;
  }
  if (refusals.full_every != 0 && ++refusals.calls % refusals.full_every == 0) {
    ++refusals.full;
    return EAGAIN;
  }
  return 0;
}

}  // namespace

extern "C" {
ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  if (const int error = refusal(*message); error != 0) {
    errno = error;
    return -1;
  }
  return ::syscall(SYS_sendmsg, fd, message, flags);
}
int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  if (const int error = refusal(messages[0].msg_hdr); error != 0) {
    errno = error;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_sendmmsg, fd, messages, count, flags));
}
}

namespace portunus::portal::quic {
namespace {

class PortalQuicRefused : public testing::Test {
 protected:
  ~PortalQuicRefused() override { refusals = {}; }

  static async::Task<bool> write_and_finish(Stream& stream, const std::string& text) {
    const auto written = co_await stream.write_all(bytes_of(text));
    stream.finish_now();
    co_return written.has_value();
  }
  /// Numbered DATAGRAMs, in groups that every receive buffer holds: nobody repeats a lost one.
  static void expect_every_datagram(Rig& rig, Connection& from, Connection& to) {
    for (int group = 0; group < 40; ++group) {
      for (int i = 0; i < 20; ++i) {
        std::string text = std::to_string(group * 20 + i) + ":";
        text.resize(1000, '.');
        ASSERT_TRUE(from.send_datagram(
            {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, {}));
      }
      for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(rig.io.run(to.wait_for_datagram()));
        const auto front = *to.front_datagram();
        const std::string got(front.begin(), front.end());
        ASSERT_EQ(got.substr(0, got.find(':')), std::to_string(group * 20 + i));
        to.pop_datagram();
      }
    }
  }
  static void expect_bulk(Rig& rig, Connection& from, Connection& to) {
    auto mine = rig.io.run(from.open_stream());
    const std::string text(5 * 1024 * 1024, 'x');
    auto sent = rig.io.start(write_and_finish(**mine, text));
    auto theirs = rig.io.run(to.accept_stream());
    auto got = rig.io.start(read_all(**theirs));
    rig.io.run_until([&] { return got->has_value() && sent->has_value(); },
                     std::chrono::seconds(30));
    EXPECT_TRUE(***got == text);
  }
};

TEST_F(PortalQuicRefused, S8_a_full_socket_buffer_delays_and_loses_nothing) {
  Rig rig;
  auto [client, server] = rig.establish();
  server->raise_credit(4);
  refusals.full_every = 3;
  expect_every_datagram(rig, *client, *server);
  expect_every_datagram(rig, *server, *client);
  expect_bulk(rig, *client, *server);
  EXPECT_GT(refusals.full, 50U);
}

TEST_F(PortalQuicRefused, S8_a_handshake_comes_through_a_socket_that_is_often_full) {
  refusals.full_every = 2;
  Rig rig;
  for (int i = 0; i < 5; ++i) rig.establish();
  EXPECT_GT(refusals.full, 5U);
}

TEST_F(PortalQuicRefused, S8_without_splitting_by_the_kernel_every_packet_leaves_by_itself) {
  if (!datagrams::Offload::of_host().gso) GTEST_SKIP() << "this kernel splits nothing anyway";
  refusals.no_splitting = true;
  Rig rig;
  auto [client, server] = rig.establish();
  server->raise_credit(4);
  expect_every_datagram(rig, *client, *server);
  expect_every_datagram(rig, *server, *client);
  expect_bulk(rig, *client, *server);
  // Each side has tried it, and has learned from that.
  EXPECT_GE(refusals.unsplit, 1U);
  EXPECT_LE(refusals.unsplit, 4U);
}

}  // namespace
}  // namespace portunus::portal::quic
