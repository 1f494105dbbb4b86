#include "dataplane/udp/send_batch.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/udp.h>

#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/udp/send_result.hpp"

namespace portunus::dataplane::udp {
namespace {

/// One message as the kernel would have seen it.
struct Seen {
  std::string bytes;
  std::optional<std::uint16_t> segment;
  std::optional<std::uint32_t> from;
  std::optional<std::uint16_t> to_port;
};
/// What a call does: how many messages it accepts, then an error.
struct Script {
  int accepts = 0;
  int error = 0;
};

std::deque<Script> script;
std::vector<std::vector<Seen>> calls;
std::string accepted_bytes;

Seen see(const msghdr& header) {
  Seen seen;
  for (std::size_t i = 0; i < header.msg_iovlen; ++i) {
    seen.bytes.append(static_cast<const char*>(header.msg_iov[i].iov_base),
                      header.msg_iov[i].iov_len);
  }
  if (header.msg_name != nullptr) {
    seen.to_port = ntohs(static_cast<const sockaddr_in*>(header.msg_name)->sin_port);
  }
  msghdr copy = header;
  for (cmsghdr* c = CMSG_FIRSTHDR(&copy); c != nullptr; c = CMSG_NXTHDR(&copy, c)) {
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_SEGMENT) {
      std::uint16_t segment = 0;
      std::memcpy(&segment, CMSG_DATA(c), sizeof segment);
      seen.segment = segment;
    }
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      seen.from = ntohl(info.ipi_spec_dst.s_addr);
    }
  }
  return seen;
}

int scripted(int, mmsghdr* messages, unsigned count) {
  std::vector<Seen> call;
  for (unsigned i = 0; i < count; ++i) call.push_back(see(messages[i].msg_hdr));
  calls.push_back(call);
  Script next{.accepts = static_cast<int>(count)};
  if (!script.empty()) {
    next = script.front();
    script.pop_front();
  }
  for (int i = 0; i < next.accepts; ++i) accepted_bytes += call[static_cast<std::size_t>(i)].bytes;
  if (next.accepts > 0) return next.accepts;
  errno = next.error;
  return -1;
}

class SendBatchTest : public testing::Test {
 protected:
  SendBatchTest() {
    script.clear();
    calls.clear();
    accepted_bytes.clear();
  }
  void add(const std::string& bytes) {
    texts_.push_back(bytes);
    const std::string& kept = texts_.back();
    Datagrams one = Datagrams::one(reinterpret_cast<const std::byte*>(kept.data()), kept.size());
    batch_.add(one);
    EXPECT_TRUE(one.empty());
  }
  Sent send(std::vector<Script> steps = {}) {
    script.assign(steps.begin(), steps.end());
    return batch_.send();
  }

  std::deque<std::string> texts_;
  SegmentLimit limit_ = kAnySegment;
  SendBatch batch_{scripted};
};

TEST_F(SendBatchTest, UDP_8_datagrams_of_one_size_leave_as_one_message) {
  batch_.start(3, limit_);
  for (const char* text : {"aaa", "bbb", "ccc"}) add(text);
  const Sent sent = send();
  EXPECT_EQ(sent.datagrams, 3U);
  EXPECT_EQ(sent.bytes, 9U);
  EXPECT_EQ(sent.unsent, 0U);
  ASSERT_EQ(calls.size(), 1U);
  ASSERT_EQ(calls[0].size(), 1U);
  EXPECT_EQ(calls[0][0].bytes, "aaabbbccc");
  EXPECT_EQ(calls[0][0].segment, 3);
  EXPECT_FALSE(calls[0][0].to_port);
}

TEST_F(SendBatchTest, UDP_8_without_gso_each_is_a_message_of_one_sendmmsg) {
  limit_ = 0;
  batch_.start(3, limit_);
  for (const char* text : {"aaa", "bbb", "ccc"}) add(text);
  EXPECT_EQ(send().datagrams, 3U);
  ASSERT_EQ(calls.size(), 1U);
  ASSERT_EQ(calls[0].size(), 3U);
  EXPECT_EQ(calls[0][2].bytes, "ccc");
  EXPECT_FALSE(calls[0][2].segment);
}

TEST_F(SendBatchTest, UDP_8_order_is_kept_whatever_the_sizes) {
  batch_.start(3, limit_);
  // A shorter one ends a run, a longer one begins another, an empty one is always alone.
  for (const char* text : {"aaa", "bbb", "c", "d", "eeee", "", "ff", "gg"}) add(text);
  EXPECT_EQ(send().datagrams, 8U);
  ASSERT_EQ(calls[0].size(), 5U);
  EXPECT_EQ(calls[0][0].bytes, "aaabbbc");
  EXPECT_EQ(calls[0][0].segment, 3);
  EXPECT_EQ(calls[0][1].bytes, "d");
  EXPECT_EQ(calls[0][2].bytes, "eeee");
  EXPECT_EQ(calls[0][3].bytes, "");
  EXPECT_FALSE(calls[0][3].segment);
  EXPECT_EQ(calls[0][4].bytes, "ffgg");
}

TEST_F(SendBatchTest, a_run_stays_below_what_the_kernel_splits) {
  batch_.start(3, limit_);
  const std::string bytes(100, 'x');
  Datagrams many = Datagrams::joined(reinterpret_cast<const std::byte*>(bytes.data()), 100, 1);
  batch_.add(many);
  EXPECT_TRUE(many.empty());
  EXPECT_EQ(send().datagrams, 100U);
  ASSERT_EQ(calls[0].size(), 2U);
  EXPECT_EQ(calls[0][0].bytes.size(), 64U);
  EXPECT_EQ(calls[0][1].bytes.size(), 36U);

  const std::string large(66'000, 'y');
  batch_.start(3, limit_);
  Datagrams wide =
      Datagrams::joined(reinterpret_cast<const std::byte*>(large.data()), 66'000, 1500);
  batch_.add(wide);
  EXPECT_EQ(send().datagrams, 44U);
  ASSERT_EQ(calls[1].size(), 2U);
  EXPECT_LE(calls[1][0].bytes.size(), 65'507U);
}

TEST_F(SendBatchTest, what_does_not_fit_is_left_for_the_next_send) {
  limit_ = 0;
  batch_.start(3, limit_);
  const std::string bytes(100, 'x');
  Datagrams many = Datagrams::joined(reinterpret_cast<const std::byte*>(bytes.data()), 100, 1);
  batch_.add(many);
  EXPECT_EQ(many.count, 36U);
  EXPECT_EQ(send().datagrams, 64U);
  batch_.add(many);
  EXPECT_TRUE(many.empty());
  EXPECT_EQ(send().datagrams, 36U);
}

TEST_F(SendBatchTest, replies_name_their_receiver_and_the_address_he_knows) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(4242);
  batch_.start(3, limit_, to, {htonl(0x7F00'0009)});
  for (const char* text : {"aaa", "bbb"}) add(text);
  send();
  EXPECT_EQ(calls[0][0].to_port, 4242);
  EXPECT_EQ(calls[0][0].from, 0x7F00'0009U);
  EXPECT_EQ(calls[0][0].segment, 3);

  batch_.start(3, limit_, to, {INADDR_ANY});
  add("a");
  send();
  EXPECT_FALSE(calls[1][0].from);
}

TEST_F(SendBatchTest, UDP_12_a_prefix_is_booked_and_the_first_unsent_tried_once_by_itself) {
  limit_ = 0;
  batch_.start(3, limit_);
  for (const char* text : {"1", "22", "333", "4444"}) add(text);
  const Sent sent = send({{.accepts = 2}, {.error = EMSGSIZE}});
  EXPECT_EQ(sent.datagrams, 2U);
  EXPECT_EQ(sent.bytes, 3U);
  EXPECT_EQ(sent.unsent, 2U);
  EXPECT_EQ(sent.error, EMSGSIZE);
  ASSERT_EQ(calls.size(), 2U);
  ASSERT_EQ(calls[1].size(), 1U);
  EXPECT_EQ(calls[1][0].bytes, "333");
}

TEST_F(SendBatchTest, UDP_12_a_retry_that_passes_is_booked_and_the_rest_dropped) {
  limit_ = 0;
  batch_.start(3, limit_);
  for (const char* text : {"1", "22", "333", "4444"}) add(text);
  const Sent sent = send({{.accepts = 1}, {.accepts = 1}});
  EXPECT_EQ(sent.datagrams, 2U);
  EXPECT_EQ(sent.bytes, 3U);
  EXPECT_EQ(sent.unsent, 2U);
  EXPECT_EQ(sent.error, 0);
  EXPECT_EQ(calls.size(), 2U);
}

TEST_F(SendBatchTest, UDP_12_nothing_accepted_tells_why_at_once) {
  limit_ = 0;
  batch_.start(3, limit_);
  for (const char* text : {"1", "2"}) add(text);
  const Sent sent = send({{.error = EAGAIN}});
  EXPECT_EQ(sent.datagrams, 0U);
  EXPECT_EQ(sent.unsent, 2U);
  EXPECT_EQ(sent.error, EAGAIN);
  EXPECT_EQ(calls.size(), 1U);
}

/// Each refusal to split must end as if nothing had been joined.
class RefusedGso : public SendBatchTest, public testing::WithParamInterface<int> {};

TEST_P(RefusedGso, UDP_8_what_the_kernel_will_not_split_is_sent_singly) {
  batch_.start(3, limit_);
  for (const char* text : {"aaa", "bbb", "cc"}) add(text);
  const Sent sent = send({{.error = GetParam()}});
  EXPECT_EQ(sent.datagrams, 3U);
  EXPECT_EQ(sent.bytes, 8U);
  EXPECT_EQ(sent.unsent, 0U);
  EXPECT_EQ(accepted_bytes, "aaabbbcc");
  ASSERT_EQ(calls.size(), 2U);
  ASSERT_EQ(calls[1].size(), 3U);
  EXPECT_EQ(calls[1][1].bytes, "bbb");
  EXPECT_FALSE(calls[1][1].segment);
}

INSTANTIATE_TEST_SUITE_P(Errors, RefusedGso,
                         testing::Values(EINVAL, EIO, EOPNOTSUPP, EMSGSIZE, EAGAIN, ENOBUFS));

TEST_F(SendBatchTest, learns_from_a_refusal_what_the_way_does_not_split) {
  batch_.start(3, limit_);
  for (const char* text : {"aaa", "bbb"}) add(text);
  send({{.error = EINVAL}});
  EXPECT_EQ(limit_, 2);
  for (const char* text : {"aaa", "bbb", "cc", "dd"}) add(text);
  send();
  ASSERT_EQ(calls.back().size(), 3U);
  EXPECT_EQ(calls.back()[2].bytes, "ccdd");
  for (const char* text : {"cc", "dd"}) add(text);
  send({{.error = EIO}});
  EXPECT_EQ(limit_, 0);
}

TEST_F(SendBatchTest, a_full_buffer_says_nothing_about_splitting) {
  batch_.start(3, limit_);
  for (const char* text : {"aaa", "bbb", "ccc"}) add(text);
  // The buffer has room for one of them; the one after it is tried alone.
  const Sent sent = send({{.error = EAGAIN}, {.accepts = 1}, {.error = EAGAIN}});
  EXPECT_EQ(limit_, kAnySegment);
  EXPECT_EQ(sent.datagrams, 1U);
  EXPECT_EQ(sent.unsent, 2U);
  EXPECT_EQ(sent.error, EAGAIN);
  EXPECT_EQ(accepted_bytes, "aaa");
}

TEST_F(SendBatchTest, a_refused_run_between_others_keeps_the_order) {
  batch_.start(3, limit_);
  for (const char* text : {"1", "aaa", "bbb", "", "2", "3"}) add(text);
  // "1" passes, the run is refused, first in company and then alone.
  const Sent sent = send({{.accepts = 1}, {.error = EINVAL}});
  EXPECT_EQ(sent.datagrams, 6U);
  EXPECT_EQ(sent.unsent, 0U);
  EXPECT_EQ(accepted_bytes, "1aaabbb23");
}

TEST_F(SendBatchTest, a_target_that_is_gone_is_not_tried_again_singly) {
  batch_.start(3, limit_);
  for (const char* text : {"aaa", "bbb", "ccc"}) add(text);
  const Sent sent = send({{.error = ECONNREFUSED}});
  EXPECT_EQ(sent.unsent, 3U);
  EXPECT_EQ(sent.error, ECONNREFUSED);
  EXPECT_EQ(calls.size(), 1U);
}

TEST(SendResult, UDP_11_classifies_every_error_of_the_table) {
  for (const int error : {ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ECONNRESET, ECONNABORTED}) {
    EXPECT_EQ(classify(error), SendResult::evicts) << error;
  }
  EXPECT_EQ(classify(EMSGSIZE), SendResult::too_long);
  for (const int error : {EAGAIN, EWOULDBLOCK, ENOBUFS, EPERM, EINVAL, EIO}) {
    EXPECT_EQ(classify(error), SendResult::dropped) << error;
  }
}

}  // namespace
}  // namespace portunus::dataplane::udp
