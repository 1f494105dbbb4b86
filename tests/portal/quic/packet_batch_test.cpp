#include "portal/quic/packet_batch.hpp"

#include <gtest/gtest.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <string>
#include <vector>

namespace portunus::portal::quic {
namespace {

/// One message as the kernel would have seen it.
struct Seen {
  std::string bytes;
  in_port_t to = 0;
  bool joined = false;
};
std::vector<Seen> sent;
/// Errors for the calls to come; 0 = all is taken.
std::deque<int> errors;
/// A destination behind an interface that cannot split.
in_port_t refuses = 0;

Seen see(const msghdr& header) {
  Seen seen;
  seen.bytes.assign(static_cast<const char*>(header.msg_iov->iov_base), header.msg_iov->iov_len);
  seen.to = static_cast<const sockaddr_in*>(header.msg_name)->sin_port;
  msghdr copy = header;
  for (cmsghdr* c = CMSG_FIRSTHDR(&copy); c != nullptr; c = CMSG_NXTHDR(&copy, c)) {
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_SEGMENT) seen.joined = true;
  }
  return seen;
}

int scripted(int, mmsghdr* messages, unsigned count) {
  if (!errors.empty()) {
    const int error = errors.front();
    errors.pop_front();
    if (error != 0) {
      errno = error;
      return -1;
    }
  }
  for (unsigned i = 0; i < count; ++i) {
    const Seen seen = see(messages[i].msg_hdr);
    if (seen.joined && seen.to == refuses) {
      if (i > 0) return static_cast<int>(i);
      errno = EIO;
      return -1;
    }
    sent.push_back(seen);
  }
  return static_cast<int>(count);
}

class PortalQuicPacketBatch : public testing::Test {
 protected:
  struct Flow {
    PacketWay way;
    datagrams::SegmentLimit limit = datagrams::kAnySegment;
  };
  PortalQuicPacketBatch() {
    sent.clear();
    errors.clear();
    refuses = 0;
    for (Flow* flow : {&one_, &two_}) {
      flow->way.fd = 3;
      flow->way.local.v4.sin_family = flow->way.remote.v4.sin_family = AF_INET;
      flow->way.remote.v4.sin_port = flow == &one_ ? 1 : 2;
      flow->way.limit = &flow->limit;
    }
  }
  void put(const Flow& flow, const std::string& bytes) {
    const auto room = batch_.reserve(bytes.size());
    ASSERT_EQ(room.size(), bytes.size());
    std::ranges::copy(bytes, room.begin());
    batch_.commit(flow.way, bytes.size());
  }
  /// Two packets of each flow, and what left of them.
  std::vector<Seen> send_two_each() {
    sent.clear();
    for (const Flow* flow : {&one_, &two_}) {
      put(*flow, "aaa");
      put(*flow, "bb");
    }
    EXPECT_TRUE(batch_.send());
    EXPECT_TRUE(batch_.empty());
    return sent;
  }

  PacketBatch batch_{scripted};
  Flow one_;
  Flow two_;
};

TEST_F(PortalQuicPacketBatch, S8_packets_of_one_way_leave_joined) {
  const auto messages = send_two_each();
  ASSERT_EQ(messages.size(), 2U);
  for (const Seen& message : messages) {
    EXPECT_TRUE(message.joined);
    EXPECT_EQ(message.bytes, "aaabb");
  }
}

TEST_F(PortalQuicPacketBatch, S8_a_refusal_to_split_is_one_flows_and_costs_no_packet) {
  refuses = 1;
  auto messages = send_two_each();
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(messages[0].bytes, "aaa");
  EXPECT_EQ(messages[1].bytes, "bb");
  EXPECT_EQ(messages[2].bytes, "aaabb");
  EXPECT_TRUE(messages[2].joined);
  EXPECT_EQ(one_.limit, 0);
  EXPECT_EQ(two_.limit, datagrams::kAnySegment);
  // From here on nothing is tried that would be refused.
  refuses = 0;
  messages = send_two_each();
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_FALSE(messages[0].joined);
  EXPECT_TRUE(messages[2].joined) << "the other one's still are";
}

TEST_F(PortalQuicPacketBatch, S8_a_length_that_cannot_be_split_leaves_shorter_ones_joined) {
  errors = {EINVAL};
  send_two_each();
  EXPECT_EQ(one_.limit, 2);
  sent.clear();
  put(one_, "cc");
  put(one_, "dd");
  EXPECT_TRUE(batch_.send());
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_TRUE(sent[0].joined);
}

TEST_F(PortalQuicPacketBatch, S8_a_socket_that_fills_between_the_packets_of_a_run_loses_none) {
  for (std::size_t full_after = 0; full_after < 3; ++full_after) {
    sent.clear();
    one_.limit = datagrams::kAnySegment;
    errors = {EIO};
    errors.insert(errors.end(), full_after, 0);
    errors.push_back(EAGAIN);
    for (const char* packet : {"aaa", "bbb", "cc"}) put(one_, packet);
    EXPECT_FALSE(batch_.send());
    EXPECT_EQ(sent.size(), full_after);
    EXPECT_EQ(batch_.full(), 3);
    one_.limit = 0;
    refuses = 1;
    batch_.retry();
    EXPECT_TRUE(batch_.send());
    refuses = 0;
    ASSERT_EQ(sent.size(), 3U) << full_after;
    EXPECT_EQ(sent[0].bytes + sent[1].bytes + sent[2].bytes, "aaabbbcc");
  }
}

TEST_F(PortalQuicPacketBatch, S8_what_waits_for_a_full_socket_outlives_its_flow) {
  errors = {EAGAIN};
  {
    Flow gone = one_;
    gone.way.limit = &gone.limit;
    put(gone, "aaa");
    put(gone, "bb");
    EXPECT_FALSE(batch_.send());
    EXPECT_EQ(batch_.full(), 3);
    batch_.forget(gone.limit);
  }
  refuses = 1;
  batch_.retry();
  EXPECT_TRUE(batch_.send());
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].bytes, "aaa");
  EXPECT_EQ(sent[1].bytes, "bb");
}

TEST_F(PortalQuicPacketBatch, S8_without_a_limit_nothing_is_joined) {
  one_.way.limit = nullptr;
  put(one_, "aaa");
  put(one_, "aaa");
  EXPECT_TRUE(batch_.send());
  EXPECT_EQ(sent.size(), 2U);
}

}  // namespace
}  // namespace portunus::portal::quic
