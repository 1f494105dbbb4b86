// What becomes of a connection on a port in SNI mode.

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/dataplane/support/sni.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

/// A connection that sent these bytes and was closed without an answer.
struct Dropped {
  std::string received;
  int error;
  milliseconds took;
};
Dropped drop(std::uint16_t port, const std::string& bytes, bool half_close = false) {
  const auto begin = Clock::now();
  Socket client = Socket::connect_v4(port);
  client.send(bytes);
  if (half_close) client.half_close();
  Dropped dropped{.received = client.receive_all(), .error = client.error(), .took = {}};
  dropped.took = std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
  return dropped;
}

class SniTest : public testing::Test {
 protected:
  /// Rule 1 is a.example.com, 2 *.example.com, 3 the fallback; each target says its letter.
  void serve(bool with_fallback) {
    ASSERT_EQ(engine_.activate(sni_rule(1, port_, exact_, "a.example.com")), "");
    ASSERT_EQ(engine_.activate(sni_rule(2, port_, wildcard_, "*.example.com")), "");
    if (with_fallback) ASSERT_EQ(engine_.activate(sni_rule(3, port_, fallback_)), "");
  }
  /// A port whose only member has a target that nobody may reach.
  void serve_unreachable() {
    auto rule = Engine::rule(1, port_, nobody_.port());
    rule.sni_pattern = "a.example.com";
    ASSERT_EQ(engine_.activate(rule), "");
  }
  std::string port_field() const { return "\"listen_port\":" + std::to_string(port_); }

  Server exact_{says('e')}, wildcard_{says('w')}, fallback_{says('f')};
  Acceptor nobody_;
  const std::uint16_t port_ = free_port();
  // Lives longer than the engine, whose threads write to it.
  const LogCapture log_;
  SniEngine engine_;
};

TEST_F(SniTest, SNI_6_each_kind_of_match_is_forwarded_counted_and_logged) {
  serve(true);
  EXPECT_EQ(ask_for(port_, "a.example.com"), "e");
  EXPECT_EQ(ask_for(port_, "A.Example.COM."), "e");
  EXPECT_EQ(ask_for(port_, "x.example.com"), "w");
  EXPECT_EQ(ask_for(port_, "example.com"), "f");
  EXPECT_EQ(ask_for(port_, "a.b.example.com"), "f");
  EXPECT_EQ(ask_v4(port_, ClientHello{}.bytes()), "f");
  EXPECT_EQ(engine_.traffic(1).sni_exact, 2U);
  EXPECT_EQ(engine_.traffic(2).sni_wildcard, 1U);
  EXPECT_EQ(engine_.traffic(3).sni_fallback, 3U);
  EXPECT_EQ(engine_.traffic(1).sni_wildcard + engine_.traffic(1).sni_fallback, 0U);
  EXPECT_EQ(engine_.sni(port_)->misses, 0U);
  EXPECT_EQ(engine_.sni(port_)->parse_failures, 0U);
  EXPECT_EQ(engine_.sni(port_)->peeks, 6U);
  const auto routed = [&](const std::string& rule, const std::string& name,
                          const std::string& kind) {
    return log_.count("tls.sni_routed",
                      {port_field(), "\"rule_id\":\"" + rule + "\"", "\"peer\":\"127.0.0.1:",
                       "\"server_name\":\"" + name + "\"", "\"match_kind\":\"" + kind + "\""});
  };
  EXPECT_EQ(routed("1", "a.example.com", "exact"), 2U);
  EXPECT_EQ(routed("2", "x.example.com", "wildcard"), 1U);
  EXPECT_EQ(routed("3", "a.b.example.com", "fallback"), 1U);
  EXPECT_EQ(log_.count("tls.no_sni", {port_field(), "\"fallback_used\":true"}), 1U);
}

TEST_F(SniTest, SNI_6_both_families_are_routed) {
  serve(false);
  Socket v6 = Socket::connect_v6(port_);
  EXPECT_EQ(ask(v6, client_hello("a.example.com")), "e");
}

TEST_F(SniTest, SNI_6_a_name_without_a_match_is_a_miss_and_dropped) {
  serve_unreachable();
  const Dropped dropped = drop(port_, client_hello("b.example.com"));
  EXPECT_EQ(dropped.received, "");
  EXPECT_EQ(dropped.error, 0);
  EXPECT_EQ(engine_.sni(port_)->misses, 1U);
  EXPECT_EQ(engine_.sni(port_)->parse_failures, 0U);
  EXPECT_EQ(log_.count("tls.sni_no_match", {port_field(), "\"server_name\":\"b.example.com\""}),
            1U);
  EXPECT_FALSE(nobody_.pending());
}

TEST_F(SniTest, SNI_6_no_name_and_no_fallback_is_a_miss_and_dropped) {
  serve_unreachable();
  const Dropped dropped = drop(port_, ClientHello{}.bytes());
  EXPECT_EQ(dropped.received, "");
  EXPECT_EQ(dropped.error, 0);
  EXPECT_EQ(engine_.sni(port_)->misses, 1U);
  EXPECT_EQ(log_.count("tls.no_sni", {port_field(), "\"fallback_used\":false"}), 1U);
  EXPECT_FALSE(nobody_.pending());
}

TEST_F(SniTest, SNI_5_what_is_not_a_hello_is_a_parse_failure_and_dropped) {
  serve_unreachable();
  ClientHello overrun;
  overrun.session_id_length = 255;
  ClientHello oversized;
  oversized.record_length = 16385;
  ClientHello whole;
  whole.extensions = {server_name_extension({{"a.example.com"}})};
  struct Case {
    const char* what;
    std::string bytes;
    const char* error;
  };
  const std::vector<Case> cases{
      {"HTTP", "GET / HTTP/1.1\r\n\r\n", "not_tls"},
      {"one byte", "G", "not_tls"},
      {"SSL 2", std::string("\x80\x2E\x01\x03\x01", 5), "not_tls"},
      {"an overrun inside", overrun.bytes(), "malformed"},
      {"an oversized record", oversized.bytes(), "malformed"},
      {"an oversized record's header", std::string("\x16\x03\x01\x40\x01", 5), "malformed"},
      {"split over records", split_over_records(whole, 20), "malformed"},
      {"much that is not TLS", noise(60'000, 1), "not_tls"},
  };
  for (const Case& one : cases) {
    const Dropped dropped = drop(port_, one.bytes);
    EXPECT_EQ(dropped.received, "") << one.what;
    // Bytes that come after the drop are answered by a reset; one segment has come before it.
    if (one.bytes.size() < 1000 || dropped.error != ECONNRESET) {
      EXPECT_EQ(dropped.error, 0) << one.what;
    }
    EXPECT_LT(dropped.took, milliseconds(2500)) << one.what;
  }
  EXPECT_EQ(engine_.sni(port_)->parse_failures, cases.size());
  EXPECT_EQ(engine_.sni(port_)->misses, 0U);
  EXPECT_EQ(engine_.sni(port_)->peeks, cases.size());
  EXPECT_EQ(log_.count("tls.parse_failed", {port_field(), "\"error\":\"not_tls\""}), 4U);
  EXPECT_EQ(log_.count("tls.parse_failed", {port_field(), "\"error\":\"malformed\""}), 4U);
  EXPECT_FALSE(nobody_.pending());
}

TEST_F(SniTest, SNI_5_a_peer_that_closes_before_its_hello_is_whole_is_a_parse_failure) {
  serve_unreachable();
  const std::string hello = client_hello("a.example.com");
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{5}, hello.size() - 1}) {
    const Dropped dropped = drop(port_, hello.substr(0, size), true);
    EXPECT_EQ(dropped.received, "");
    EXPECT_EQ(dropped.error, 0) << size;
    EXPECT_LT(dropped.took, milliseconds(2500)) << size;
  }
  Socket resets = Socket::connect_v4(port_);
  resets.send(hello.substr(0, 7));
  ASSERT_TRUE(accepted(resets));
  resets.reset();
  EXPECT_TRUE(eventually([&] { return engine_.sni(port_)->parse_failures == 5; }));
  EXPECT_TRUE(eventually(
      [&] { return log_.count("tls.parse_failed", {port_field(), "\"error\":\"io\""}) == 5; }));
  EXPECT_FALSE(nobody_.pending());
}

TEST_F(SniTest, SNI_5_a_byte_that_rules_a_hello_out_ends_the_wait_at_once) {
  serve_unreachable();
  struct Case {
    std::string before;
    std::string ruling;
  };
  // The last one gives a record of 16385 bytes.
  const std::vector<Case> cases{{"", "G"}, {"\x16", "\x02"}, {"\x16\x03\x01\x40", "\x01"}};
  for (const Case& one : cases) {
    Socket client = Socket::connect_v4(port_);
    ASSERT_TRUE(accepted(client));
    // Byte by byte, each with the time to be looked at.
    for (const char byte : one.before) {
      ASSERT_TRUE(client.send(std::string(1, byte)));
      std::this_thread::sleep_for(milliseconds(30));
    }
    const auto begin = Clock::now();
    ASSERT_TRUE(client.send(one.ruling));
    EXPECT_EQ(client.receive_all(), "") << one.before.size();
    EXPECT_EQ(client.error(), 0) << one.before.size();
    EXPECT_LT(Clock::now() - begin, milliseconds(2500)) << one.before.size();
  }
  EXPECT_EQ(log_.count("tls.parse_failed", {port_field(), "\"error\":\"not_tls\""}), 2U);
  EXPECT_EQ(log_.count("tls.parse_failed", {port_field(), "\"error\":\"malformed\""}), 1U);
  EXPECT_EQ(log_.count("tls.client_hello_timeout"), 0U);
  EXPECT_FALSE(nobody_.pending());
}

TEST_F(SniTest, SNI_5_a_whole_hello_with_the_end_of_the_stream_behind_it_is_routed) {
  serve(false);
  Socket client = Socket::connect_v4(port_);
  const std::string hello = client_hello("a.example.com");
  client.send(hello);
  client.half_close();
  EXPECT_EQ(client.receive_all(), "e" + hello);
  EXPECT_EQ(client.error(), 0);
}

TEST_F(SniTest, SNI_5_a_hello_in_single_bytes_is_routed) {
  serve(false);
  Socket client = Socket::connect_v4(port_);
  const std::string hello = client_hello("a.example.com");
  for (const char byte : hello) ASSERT_TRUE(client.send(std::string(1, byte)));
  EXPECT_EQ(client.receive(1 + hello.size()), "e" + hello);
}

TEST_F(SniTest, SNI_5_a_hello_cut_anywhere_is_routed) {
  serve(false);
  const std::string hello = client_hello("a.example.com");
  for (std::size_t cut = 1; cut < hello.size(); cut += 7) {
    Socket client = Socket::connect_v4(port_);
    client.send(hello.substr(0, cut));
    ASSERT_TRUE(accepted(client));
    client.send(hello.substr(cut));
    EXPECT_EQ(client.receive(1 + hello.size()), "e" + hello) << cut;
  }
  EXPECT_EQ(engine_.sni(port_)->parse_failures, 0U);
}

TEST_F(SniTest, SNI_8_the_longest_hello_and_what_follows_it_arrive_unmodified) {
  serve(false);
  ClientHello hello;
  hello.extensions = {padding_extension(0), server_name_extension({{"a.example.com"}})};
  hello.extensions->front() = padding_extension(16384 - hello.message().size());
  ASSERT_EQ(hello.message().size(), 16384U);
  // At once, in two pieces, and with early data behind it.
  for (const std::size_t cut : {std::size_t{0}, std::size_t{4096}, std::size_t{9000}}) {
    const std::string bytes = hello.bytes() + noise(200'000, cut);
    Socket client = Socket::connect_v4(port_);
    std::jthread sender([&] {
      client.send(bytes.substr(0, cut));
      if (cut > 0) accepted(client);
      client.send(bytes.substr(cut));
    });
    EXPECT_EQ(client.receive(1 + bytes.size()), "e" + bytes) << cut;
  }
}

TEST_F(SniTest, SNI_8_CNT_4_preread_bytes_count_once_delivered) {
  serve(false);
  Socket client = Socket::connect_v4(port_);
  const std::string hello = client_hello("a.example.com");
  ASSERT_EQ(ask(client, hello), "e");
  EXPECT_TRUE(eventually([&] { return engine_.traffic(1).bytes_in == hello.size(); }));
  EXPECT_TRUE(eventually([&] { return engine_.traffic(1).bytes_out == hello.size() + 1; }));
  client.send("more");
  EXPECT_EQ(client.receive(4), "more");
  EXPECT_TRUE(eventually([&] { return engine_.traffic(1).bytes_in == hello.size() + 4; }));
  EXPECT_EQ(engine_.traffic(2).bytes_in, 0U);
}

TEST_F(SniTest, SNI_8_CNT_4_preread_bytes_that_reach_nobody_do_not_count) {
  auto rule = Engine::rule(1, port_, free_port());
  rule.sni_pattern = "a.example.com";
  ASSERT_EQ(engine_.activate(rule), "");
  Socket client = Socket::connect_v4(port_);
  client.send(client_hello("a.example.com"));
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_EQ(engine_.traffic(1).bytes_in, 0U);
  EXPECT_EQ(engine_.traffic(1).sni_exact, 1U);
  EXPECT_TRUE(
      eventually([&] { return log_.count("rule.conn_error", {"\"rule_id\":\"1\""}) == 1; }));
  EXPECT_EQ(log_.count("tls.proxy_finished_error", {port_field(), "\"rule_id\":\"1\""}), 1U);
}

TEST_F(SniTest, SNI_8_bulk_behind_the_hello_is_forwarded_both_ways) {
  serve(false);
  const std::string bytes = client_hello("a.example.com") + noise(8 << 20, 3);
  Socket client = Socket::connect_v4(port_);
  std::jthread sender([&] { client.send(bytes); });
  const std::string got = client.receive(1 + bytes.size());
  EXPECT_TRUE(got == "e" + bytes);
}

TEST_F(SniTest, SNI_7_every_finished_peek_is_a_sample) {
  serve(false);
  ask_for(port_, "a.example.com");
  drop(port_, client_hello("no.match"));
  drop(port_, "not TLS");
  const auto totals = engine_.sni(port_).value();
  EXPECT_EQ(totals.peeks, 3U);
  EXPECT_EQ(totals.peek_buckets.back(), 3U);
  EXPECT_TRUE(std::ranges::is_sorted(totals.peek_buckets));
}

TEST_F(SniTest, SNI_4_the_deadline_is_three_seconds_from_accept_whatever_trickles_in) {
  serve_unreachable();
  const std::string hello = client_hello("a.example.com");
  Socket silent = Socket::connect_v4(port_);
  Socket header = Socket::connect_v4(port_);
  Socket dribbles = Socket::connect_v4(port_);
  header.send(hello.substr(0, 5));
  const auto begin = Clock::now();
  // A byte each 50 ms never completes the hello, and puts the deadline off for nobody.
  std::jthread dribble([&](const std::stop_token& stop) {
    for (const char byte : hello) {
      if (stop.stop_requested() || !dribbles.send(std::string(1, byte), MSG_NOSIGNAL)) return;
      pollfd closed{.fd = dribbles.fd(), .events = POLLIN, .revents = 0};
      if (::poll(&closed, 1, 50) != 0) return;
    }
  });
  for (Socket* client : {&silent, &header}) {
    EXPECT_EQ(client->receive_all(), "");
    EXPECT_EQ(client->error(), 0);
    EXPECT_GE(Clock::now() - begin, milliseconds(2900));
  }
  EXPECT_EQ(dribbles.receive_all(), "");
  EXPECT_LT(Clock::now() - begin, milliseconds(3000) + kPatience / 2);
  dribble.request_stop();
  EXPECT_TRUE(eventually([&] { return engine_.sni(port_)->parse_failures == 3; }));
  const auto totals = engine_.sni(port_).value();
  EXPECT_EQ(totals.peeks, 3U);
  EXPECT_EQ(totals.peek_buckets[13], 0U);
  EXPECT_GE(totals.peek_sum_micros, 9'000'000U);
  EXPECT_EQ(log_.count("tls.client_hello_timeout", {port_field(), "\"bytes_read\":0"}), 1U);
  EXPECT_EQ(log_.count("tls.client_hello_timeout", {port_field(), "\"bytes_read\":5"}), 1U);
  EXPECT_EQ(log_.count("tls.client_hello_timeout", {port_field()}), 3U);
  EXPECT_FALSE(nobody_.pending());
}

TEST_F(SniTest,
       SNI_4_the_permit_returns_when_the_peek_ends_and_beyond_the_permits_there_is_a_reset) {
  constexpr std::size_t kPermits = 1024;
  // The target takes no connection, so that whoever is routed keeps dialling.
  Acceptor full(0);
  const Socket filler = Socket::connect_v4(full.port());
  SniEngine engine({.workers = 1});
  auto rule = Engine::rule(1, port_, full.port());
  rule.sni_pattern = "a.example.com";
  ASSERT_EQ(engine.activate(rule), "");
  const auto begin = Clock::now();
  std::vector<Socket> peeking;
  for (std::size_t i = 0; i < kPermits; ++i) peeking.push_back(Socket::connect_v4(port_));
  ASSERT_TRUE(accepted(peeking.back()));
  Socket beyond = Socket::connect_v4(port_);
  EXPECT_EQ(beyond.receive_all(), "");
  EXPECT_EQ(beyond.error(), ECONNRESET);
  if (Clock::now() - begin > seconds(3)) GTEST_SKIP() << "too slow: permits have expired";
  EXPECT_EQ(log_.count("tls.sni_peek_capacity",
                       {port_field(), "\"peer\":\"127.0.0.1:", "\"max_inflight_peeks\":1024"}),
            1U);
  // Not a sample, not a failure.
  EXPECT_EQ(engine.sni(port_)->peeks, 0U);
  EXPECT_EQ(engine.sni(port_)->parse_failures, 0U);
  // The other family has a socket, and permits, of its own.
  Socket v6 = Socket::connect_v6(port_);
  v6.send(client_hello("no.match"));
  EXPECT_EQ(v6.receive_all(), "");
  EXPECT_EQ(v6.error(), 0);
  // One hello makes room for one, though its connection has only begun to dial.
  peeking.front().send(client_hello("a.example.com"));
  ASSERT_TRUE(eventually([&] { return engine.traffic(1).sni_exact == 1; }));
  Socket next = Socket::connect_v4(port_);
  next.send(client_hello("no.match"));
  EXPECT_EQ(next.receive_all(), "");
  EXPECT_EQ(next.error(), 0);
}

}  // namespace
}  // namespace portunus::test
