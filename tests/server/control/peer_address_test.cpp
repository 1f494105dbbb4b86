#include "server/control/peer_address.hpp"

#include <gtest/gtest.h>

namespace portunus::server::control {
namespace {

TEST(PeerAddress, is_ip_and_port_without_grpcs_scheme) {
  EXPECT_EQ(peer_address("ipv4:192.0.2.1:5000"), "192.0.2.1:5000");
  EXPECT_EQ(peer_address("ipv6:%5B2001:db8::1%5D:5000"), "[2001:db8::1]:5000");
  EXPECT_EQ(peer_address("ipv6:[2001:DB8:0::1]:5000"), "[2001:db8::1]:5000");
  EXPECT_EQ(peer_address("ipv6:%5Bfe80::1%25eth0%5D:1"), "[fe80::1%eth0]:1");
}

TEST(PeerAddress, leaves_what_it_does_not_know) {
  EXPECT_EQ(peer_address("unix:/tmp/x"), "unix:/tmp/x");
  EXPECT_EQ(peer_address("ipv4:"), "");
  EXPECT_EQ(peer_address("ipv4:%"), "%");
  EXPECT_EQ(peer_address("ipv4:%zz1"), "%zz1");
  EXPECT_EQ(peer_address(""), "");
}

}  // namespace
}  // namespace portunus::server::control
