#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <string>

#include "tests/dataplane/support/datagram_sockets.hpp"
#include "tests/dataplane/udp/rig.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

using std::chrono::milliseconds;

/// What the next sends fail with, and how many of them; upstream and towards the source.
std::atomic<int> up_error = 0;
std::atomic<int> up_failures = 0;
std::atomic<int> down_error = 0;
std::atomic<int> down_failures = 0;

bool due(std::atomic<int>& failures) {
  int left = failures;
  while (left > 0) {
    if (failures.compare_exchange_weak(left, left - 1)) return true;
  }
  return false;
}

int failing_send(int fd, mmsghdr* messages, unsigned count) {
  const bool up = messages->msg_hdr.msg_name == nullptr;
  if (due(up ? up_failures : down_failures)) {
    errno = up ? up_error : down_error;
    return -1;
  }
  return dataplane::udp::send_many(fd, messages, count);
}

class UdpSendTable : public testing::Test {
 protected:
  UdpSendTable() {
    up_failures = 0;
    down_failures = 0;
  }
  /// A live flow.
  void open() {
    client_.connect(rule_->spec().listen_port);
    ASSERT_TRUE(client_.send("open"));
    const auto seen = target_.receive_from();
    ASSERT_TRUE(seen);
    flow_ = seen->from;
    flow_port_ = seen->from_port;
    ASSERT_TRUE(eventually([&] { return Rig::traffic(rule_).active_flows == 1; }));
  }
  void fail_up(int error, int times = 1) {
    up_error = error;
    up_failures = times;
  }
  void fail_down(int error, int times = 1) {
    down_error = error;
    down_failures = times;
  }
  model::LocalTraffic local() { return Rig::local(rule_); }

  LogCapture log_;
  UdpSocket target_;
  Rig rig_{{.workers = 1, .offload = false, .send = failing_send}};
  Rig::Rule rule_ = rig_.serve(Rig::rule(target_.port()));
  UdpSocket client_;
  sockaddr_storage flow_{};
  std::uint16_t flow_port_ = 0;
};

TEST_F(UdpSendTable, UDP_10_a_full_buffer_drops_the_datagram_and_keeps_the_flow) {
  open();
  fail_up(EAGAIN);
  ASSERT_TRUE(client_.send("lost"));
  ASSERT_TRUE(eventually([&] { return local().send_dropped == 1; }));
  ASSERT_TRUE(client_.send("kept"));
  const auto seen = target_.receive_from();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->bytes, "kept");
  EXPECT_EQ(seen->from_port, flow_port_);
  EXPECT_TRUE(eventually([&] { return Rig::traffic(rule_).datagrams_in == 2; }));
  EXPECT_EQ(Rig::traffic(rule_).bytes_in, 8U);
}

TEST_F(UdpSendTable, UDP_10_a_datagram_that_is_too_long_is_counted_apart) {
  open();
  fail_up(EMSGSIZE);
  ASSERT_TRUE(client_.send("too long"));
  ASSERT_TRUE(eventually([&] { return local().emsgsize == 1; }));
  EXPECT_EQ(local().send_dropped, 0U);
  EXPECT_EQ(log_.count("rule.udp_emsgsize", {"\"dropped\":1"}), 1U);
  ASSERT_TRUE(client_.send("kept"));
  EXPECT_EQ(target_.receive(), "kept");
}

class UdpEvicting : public UdpSendTable, public testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Errors, UdpEvicting,
                         testing::Values(ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ECONNRESET,
                                         ECONNABORTED));

TEST_P(UdpEvicting, UDP_11_evicts_the_flow_once_and_the_next_datagram_builds_another) {
  open();
  fail_up(GetParam());
  ASSERT_TRUE(client_.send("lost"));
  ASSERT_TRUE(eventually([&] { return local().icmp_evict == 1; }));
  EXPECT_TRUE(eventually([&] { return Rig::traffic(rule_).active_flows == 0; }));
  EXPECT_EQ(rule_->flows(), 0U);
  EXPECT_EQ(log_.count("rule.udp_flow_evicted_icmp"), 1U);
  EXPECT_EQ(log_.count("rule.udp_flow_evicted_icmp", {"phase"}), 0U);
  EXPECT_EQ(local().send_dropped, 0U);
  ASSERT_TRUE(client_.send("new"));
  const auto seen = target_.receive_from();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->bytes, "new");
  EXPECT_NE(seen->from_port, flow_port_);
}

TEST_F(UdpSendTable, UDP_11_an_evicted_first_datagram_names_its_phase) {
  client_.connect(rule_->spec().listen_port);
  fail_up(ENETUNREACH);
  ASSERT_TRUE(client_.send("lost"));
  ASSERT_TRUE(eventually([&] { return local().icmp_evict == 1; }));
  EXPECT_EQ(log_.count("rule.udp_flow_evicted_icmp", {"\"phase\":\"first_packet\""}), 1U);
  EXPECT_TRUE(eventually([&] { return rule_->flows() == 0; }));
  EXPECT_EQ(Rig::traffic(rule_).active_flows, 0U);
}

TEST_F(UdpSendTable, UDP_10_a_first_datagram_that_is_too_long_leaves_its_flow) {
  client_.connect(rule_->spec().listen_port);
  fail_up(EMSGSIZE);
  ASSERT_TRUE(client_.send("too long"));
  ASSERT_TRUE(eventually([&] { return Rig::traffic(rule_).active_flows == 1; }));
  EXPECT_EQ(local().emsgsize, 1U);
  EXPECT_EQ(log_.count("rule.udp_first_packet_send_dropped", {"\"action\":\"emsgsize\""}), 1U);
}

TEST_F(UdpSendTable, UDP_7_a_first_datagram_waits_until_its_socket_takes_it) {
  client_.connect(rule_->spec().listen_port);
  fail_up(EAGAIN);
  ASSERT_TRUE(client_.send("first"));
  const auto seen = target_.receive_from();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->bytes, "first");
  EXPECT_EQ(local().send_dropped, 0U);
  // And the flow goes on as any other.
  target_.send_to("reply", seen->from);
  EXPECT_EQ(client_.receive(), "reply");
  ASSERT_TRUE(client_.send("second"));
  EXPECT_EQ(target_.receive(), "second");
  EXPECT_TRUE(eventually([&] { return Rig::traffic(rule_).datagrams_in == 2; }));
}

TEST_F(UdpSendTable, RL_8_a_first_datagram_that_waits_pays_for_its_bandwidth_once) {
  // The bucket holds one such datagram, and takes a minute to be full again.
  const std::string datagram(100, 'd');
  rule_->live().limiter().apply(model::RateLimit{.bandwidth_in_bps = 2, .bandwidth_in_burst = 100},
                                std::chrono::steady_clock::now());
  client_.connect(rule_->spec().listen_port);
  fail_up(EAGAIN);
  ASSERT_TRUE(client_.send(datagram));
  EXPECT_EQ(target_.receive(), datagram);
  EXPECT_EQ(local().bandwidth_dropped_in, 0U);
  ASSERT_TRUE(eventually([&] { return Rig::traffic(rule_).active_flows == 1; }));
  ASSERT_TRUE(client_.send(datagram));
  EXPECT_TRUE(eventually([&] { return local().bandwidth_dropped_in == 1; }));
  EXPECT_EQ(Rig::traffic(rule_).datagrams_in, 1U);
}

TEST_F(UdpSendTable, UDP_11_a_closed_target_evicts_by_what_icmp_says) {
  open();
  target_.close();
  // The first is sent and refused by the host, which the socket then says of itself.
  ASSERT_TRUE(client_.send("x"));
  ASSERT_TRUE(eventually([&] { return local().icmp_evict == 1; }));
  EXPECT_TRUE(eventually([&] { return Rig::traffic(rule_).active_flows == 0; }));
  EXPECT_EQ(log_.count("rule.udp_flow_evicted_icmp"), 1U);
  EXPECT_EQ(log_.count("rule.udp_flow_evicted_icmp",
                       {"\"source\":\"127.0.0.1:" + std::to_string(client_.port()) + "\""}),
            1U);
}

TEST_F(UdpSendTable, UDP_15_replies_that_are_not_taken_are_dropped_and_not_booked) {
  open();
  fail_down(EAGAIN);
  ASSERT_TRUE(target_.send_to("lost", flow_));
  ASSERT_TRUE(eventually([&] { return local().wouldblock == 1; }));
  EXPECT_EQ(Rig::traffic(rule_).datagrams_out, 0U);
  EXPECT_EQ(Rig::traffic(rule_).bytes_out, 0U);
  EXPECT_EQ(log_.count("rule.udp_reply_send_failed"), 0U);
  ASSERT_TRUE(target_.send_to("kept", flow_));
  EXPECT_EQ(client_.receive(), "kept");
}

TEST_F(UdpSendTable, UDP_15_an_error_of_the_listening_socket_is_logged_and_the_flow_survives) {
  open();
  fail_down(EPERM);
  ASSERT_TRUE(target_.send_to("lost", flow_));
  ASSERT_TRUE(eventually([&] { return log_.count("rule.udp_reply_send_failed") == 1; }));
  EXPECT_EQ(local().icmp_evict, 0U);
  ASSERT_TRUE(target_.send_to("kept", flow_));
  EXPECT_EQ(client_.receive(), "kept");
}

TEST_F(UdpSendTable, UDP_15_even_one_that_would_evict_on_the_other_side) {
  open();
  fail_down(ENETUNREACH);
  ASSERT_TRUE(target_.send_to("lost", flow_));
  ASSERT_TRUE(eventually([&] { return local().wouldblock == 1; }));
  EXPECT_EQ(Rig::traffic(rule_).active_flows, 1U);
  ASSERT_TRUE(target_.send_to("kept", flow_));
  EXPECT_EQ(client_.receive(), "kept");
}

TEST_F(UdpSendTable, UDP_13_only_successful_sends_keep_a_flow_alive) {
  rule_->tune({.flow_idle = std::chrono::seconds(1)});
  open();
  // The source goes on sending, and nothing of it arrives.
  fail_up(EAGAIN, 1'000'000);
  EXPECT_TRUE(eventually([&] {
    EXPECT_TRUE(client_.send("x"));
    return log_.count("rule.udp_flow_closed_idle") == 1;
  }));
  EXPECT_EQ(log_.count("rule.udp_flow_closed_idle", {"\"datagrams_in\":1", "\"bytes_in\":4"}), 1U);
}

}  // namespace
}  // namespace portunus::test
