// Portal contract 9: how many connections may wait for authentication.

#include "portal/relay/admission.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace portunus::portal::relay {
namespace {

net::IpAddress address(const std::string& text) {
  return *net::IpAddress::parse(text);
}

using Slots = std::vector<Admission::Slot>;

/// How many of `wanted` are admitted.
std::size_t fill(Admission& admission, Slots& slots, const std::string& source,
                 std::size_t wanted) {
  std::size_t got = 0;
  for (; got < wanted; ++got) {
    auto slot = admission.admit(address(source));
    if (!slot) break;
    slots.push_back(std::move(*slot));
  }
  return got;
}

TEST(PortalAdmission, Section9_AnIpv4AddressHas32Places) {
  Admission admission;
  Slots slots;
  EXPECT_EQ(fill(admission, slots, "192.0.2.1", 40), 32U);
  EXPECT_EQ(fill(admission, slots, "192.0.2.2", 1), 1U);
  EXPECT_EQ(admission.pending(), 33U);
}

TEST(PortalAdmission, Section9_AnIpv6SourceIsItsFirst64Bits) {
  Admission admission;
  Slots slots;
  EXPECT_EQ(fill(admission, slots, "2001:db8::1", 20), 20U);
  EXPECT_EQ(fill(admission, slots, "2001:db8::ffff:2", 20), 12U);
  EXPECT_EQ(fill(admission, slots, "2001:db8:0:1::1", 1), 1U) << "another /64";
}

TEST(PortalAdmission, Section9_AnIpv4AddressIsNoIpv6Prefix) {
  Admission admission;
  Slots slots;
  EXPECT_EQ(fill(admission, slots, "0.0.0.1", 32), 32U);
  EXPECT_EQ(fill(admission, slots, "0:0:0:1::", 32), 32U);
}

TEST(PortalAdmission, Section19_8_The257thInTotalIsRefused) {
  Admission admission;
  Slots slots;
  for (int i = 0; i < 8; ++i) fill(admission, slots, "198.51.100." + std::to_string(i), 32);
  EXPECT_EQ(admission.pending(), 256U);
  EXPECT_FALSE(admission.admit(address("203.0.113.1")));
  slots.pop_back();
  EXPECT_TRUE(admission.admit(address("203.0.113.1")));
}

TEST(PortalAdmission, Section19_8_FreedPlacesAreReusable) {
  Admission admission;
  for (int round = 0; round < 50; ++round) {
    Slots slots;
    for (int i = 0; i < 256; ++i) {
      ASSERT_EQ(
          fill(admission, slots, "10.0." + std::to_string(round) + "." + std::to_string(i), 1), 1U);
    }
  }
  EXPECT_EQ(admission.pending(), 0U);
}

TEST(PortalAdmission, Section9_ASlotIsGivenBackOnce) {
  Admission admission;
  auto slot = admission.admit(address("192.0.2.1"));
  Admission::Slot moved = std::move(*slot);
  EXPECT_FALSE(slot->held());
  moved.release();
  moved.release();
  EXPECT_EQ(admission.pending(), 0U);
}

TEST(PortalAdmission, Section9_ThreadsShareTheBound) {
  Admission admission;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&admission, t] {
      for (int i = 0; i < 2000; ++i) {
        Slots slots;
        fill(admission, slots, "192.0.2." + std::to_string(t % 2), 20);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(admission.pending(), 0U);
}

}  // namespace
}  // namespace portunus::portal::relay
