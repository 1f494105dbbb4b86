#include "dataplane/udp/bind_ports.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <string>

#include "tests/dataplane/support/datagram_sockets.hpp"
#include "tests/dataplane/support/denied_calls.hpp"

namespace portunus::dataplane::udp {
namespace {

using test::free_udp_port;
using test::UdpSocket;

enum class Foreign { plain, reuse_address, reuse_port, reuse_both };

/// A socket of somebody else on that port; invalid when he cannot have it.
net::UniqueFd foreign_socket(std::uint16_t port, Foreign kind, in_addr_t address = INADDR_ANY) {
  net::UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (kind == Foreign::reuse_address || kind == Foreign::reuse_both) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  }
  if (kind == Foreign::reuse_port || kind == Foreign::reuse_both) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  }
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  in.sin_addr.s_addr = htonl(address);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&in), sizeof in) != 0) return {};
  return fd;
}

int option(const BoundPort& bound, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(bound.fd.get(), SOL_SOCKET, name, &value, &size);
  return value;
}

class ForeignUdpSocket : public testing::TestWithParam<std::tuple<Foreign, in_addr_t, unsigned>> {};

TEST_P(ForeignUdpSocket, UDP_1_D10_collides_whatever_its_options) {
  const auto [kind, address, workers] = GetParam();
  const std::uint16_t port = free_udp_port();
  const net::UniqueFd foreign = foreign_socket(port, kind, address);
  ASSERT_TRUE(foreign);
  const auto bound = bind_ports(port, 1, workers, true);
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().reason, "port_in_use");
  EXPECT_EQ(bound.error().port, port);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ForeignUdpSocket,
                         testing::Combine(testing::Values(Foreign::plain, Foreign::reuse_address,
                                                          Foreign::reuse_port, Foreign::reuse_both),
                                          testing::Values(in_addr_t{INADDR_ANY},
                                                          in_addr_t{INADDR_LOOPBACK}),
                                          testing::Values(1U, 4U)));

TEST(BindPorts, UDP_1_D10_two_rules_collide_on_any_number_of_workers) {
  for (const unsigned workers : {1U, 4U}) {
    const std::uint16_t port = free_udp_port();
    const auto first = bind_ports(port, 1, workers, true);
    ASSERT_TRUE(first);
    for (const unsigned others : {1U, 4U}) {
      const auto second = bind_ports(port, 1, others, true);
      ASSERT_FALSE(second);
      EXPECT_EQ(second.error().reason, "port_in_use");
    }
  }
}

TEST(BindPorts, UDP_1_a_lone_socket_never_carries_a_reuse_option) {
  const std::uint16_t port = free_udp_port();
  const auto bound = bind_ports(port, 1, 1, true);
  ASSERT_TRUE(bound);
  ASSERT_EQ(bound->front().size(), 1U);
  EXPECT_EQ(option(bound->front().front(), SO_REUSEADDR), 0);
  EXPECT_EQ(option(bound->front().front(), SO_REUSEPORT), 0);
  for (const Foreign kind : {Foreign::plain, Foreign::reuse_address, Foreign::reuse_port}) {
    EXPECT_FALSE(foreign_socket(port, kind));
  }
}

TEST(BindPorts, UDP_1_every_worker_has_a_socket_and_a_source_stays_with_one) {
  const std::uint16_t port = free_udp_port();
  const auto bound = bind_ports(port, 1, 4, true);
  ASSERT_TRUE(bound);
  ASSERT_EQ(bound->size(), 4U);
  std::set<unsigned> used;
  for (int source = 0; source < 64; ++source) {
    UdpSocket client;
    client.connect(port);
    std::set<unsigned> met;
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.send("x"));
    for (unsigned w = 0; w < 4; ++w) {
      char byte = 0;
      while (::recv((*bound)[w].front().fd.get(), &byte, 1, MSG_DONTWAIT) == 1) met.insert(w);
    }
    EXPECT_EQ(met.size(), 1U);
    used.merge(met);
  }
  EXPECT_EQ(used.size(), 4U);
}

TEST(BindPorts, RNG_3_binds_ascending_and_leaves_nothing_behind_when_one_is_taken) {
  const std::uint16_t first = free_udp_port(4);
  const auto third = static_cast<std::uint16_t>(first + 2);
  const auto fourth = static_cast<std::uint16_t>(first + 3);
  {
    const net::UniqueFd foreign = foreign_socket(third, Foreign::reuse_port);
    const net::UniqueFd later = foreign_socket(fourth, Foreign::plain);
    const std::size_t before = test::count_descriptors("socket:");
    const auto bound = bind_ports(first, 4, 2, true);
    ASSERT_FALSE(bound);
    EXPECT_EQ(bound.error().reason, "port_in_use");
    EXPECT_EQ(bound.error().port, third);
    EXPECT_EQ(test::count_descriptors("socket:"), before);
    EXPECT_TRUE(foreign_socket(first, Foreign::plain));
  }
  EXPECT_TRUE(bind_ports(first, 4, 2, true));
}

TEST(BindPorts, RNG_5_a_small_range_is_shared_by_all_workers) {
  const std::uint16_t first = free_udp_port(8);
  const auto bound = bind_ports(first, 8, 4, true);
  ASSERT_TRUE(bound);
  for (const auto& of_worker : *bound) ASSERT_EQ(of_worker.size(), 8U);
  EXPECT_EQ((*bound)[3][5].offset, 5);
  EXPECT_TRUE((*bound)[0][5].first);
  EXPECT_FALSE((*bound)[3][5].first);
}

TEST(BindPorts, RNG_5_a_large_range_takes_one_descriptor_a_port) {
  constexpr std::uint32_t kPorts = 200;
  const std::uint16_t first = free_udp_port(kPorts);
  const std::size_t before = test::count_descriptors("socket:");
  const auto bound = bind_ports(first, kPorts, 4, true);
  ASSERT_TRUE(bound);
  EXPECT_EQ(test::count_descriptors("socket:"), before + kPorts);
  std::set<std::uint16_t> offsets;
  for (const auto& of_worker : *bound) {
    EXPECT_EQ(of_worker.size(), kPorts / 4);
    for (const BoundPort& port : of_worker) {
      offsets.insert(port.offset);
      EXPECT_EQ(option(port, SO_REUSEPORT), 0);
    }
  }
  EXPECT_EQ(offsets.size(), kPorts);
}

/// Runs in a child, which may not make such calls.
template <class Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(BindPorts, LIFE_1_names_what_the_system_said) {
  const std::uint16_t port = free_udp_port();
  const auto reason_with = [port](int error) {
    return in_child([port, error] {
      test::deny_call(SYS_bind, error);
      const auto bound = bind_ports(port, 1, 2, true);
      if (bound || bound.error().port != port) return 9;
      if (bound.error().reason == "permission_denied") return 1;
      return bound.error().reason == "bind_failed" ? 2 : 3;
    });
  };
  EXPECT_EQ(reason_with(EACCES), 1);
  EXPECT_EQ(reason_with(EPERM), 1);
  EXPECT_EQ(reason_with(ENOBUFS), 2);
}

TEST(BindPorts, UDP_1_where_joining_fails_one_worker_serves_the_port_alone) {
  const std::uint16_t port = free_udp_port();
  EXPECT_EQ(in_child([port] {
              test::deny_call(SYS_setsockopt, EPERM, test::Argument{1, SOL_SOCKET},
                              test::Argument{2, SO_REUSEPORT});
              const auto bound = bind_ports(port, 1, 3, true);
              if (!bound) return 1;
              return (*bound)[0].size() == 1 && (*bound)[1].empty() && (*bound)[2].empty() ? 0 : 2;
            }),
            0);
}

}  // namespace
}  // namespace portunus::dataplane::udp
