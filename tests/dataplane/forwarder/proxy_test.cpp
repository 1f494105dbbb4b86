#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <cstdlib>
#include <optional>
#include <span>
#include <string>

#include "dataplane/proxy_protocol/header.hpp"
#include "tests/dataplane/support/denied_calls.hpp"
#include "tests/dataplane/support/engine.hpp"
#include "tests/dataplane/support/nginx.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

using dataplane::proxy_protocol::decode;
using dataplane::proxy_protocol::Decoded;
using model::ProxyVersion;
using std::chrono::seconds;

model::RuleSpec with_header(std::uint16_t target_port, ProxyVersion version) {
  auto spec = Engine::rule(1, 0, target_port);
  spec.targets[0].proxy = version;
  return spec;
}

std::string endpoint(bool v6, std::uint16_t port) {
  return (v6 ? "[::1]:" : "127.0.0.1:") + std::to_string(port);
}

struct Case {
  ProxyVersion version;
  bool v6;
};

class ForwarderProxy : public testing::TestWithParam<Case> {
 protected:
  /// Of exactly that length, read off the socket.
  std::optional<Decoded> read_header(Socket& up) {
    std::string bytes;
    while (bytes.size() < 200) {
      bytes += up.receive(1);
      if (auto header = decode(std::as_bytes(std::span(bytes)))) return header;
    }
    return std::nullopt;
  }
  Socket connect(std::uint16_t port) {
    return GetParam().v6 ? Socket::connect_v6(port) : Socket::connect_v4(port);
  }
};

TEST_P(ForwarderProxy, PP_1_the_target_learns_both_ends_before_the_first_byte) {
  Acceptor target;
  Engine engine;
  const auto port = engine.serve(with_header(target.port(), GetParam().version));
  Socket client = connect(port);
  client.send("payload");
  Socket up = target.accept();
  const auto header = read_header(up);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->version, GetParam().version);
  EXPECT_EQ(header->source.text(), endpoint(GetParam().v6, client.local_port()));
  // The address that the client has dialled, not the wildcard.
  EXPECT_EQ(header->destination.text(), endpoint(GetParam().v6, port));
  EXPECT_EQ(up.receive(7), "payload");
}

TEST_P(ForwarderProxy, CNT_4_the_header_is_not_counted) {
  Acceptor target;
  Engine engine;
  const auto port = engine.serve(with_header(target.port(), GetParam().version));
  Socket client = connect(port);
  Socket up = target.accept();
  ASSERT_TRUE(read_header(up));
  // It does not wait for the client to speak first.
  up.send("hello");
  EXPECT_EQ(client.receive(5), "hello");
  EXPECT_TRUE(eventually([&] { return engine.traffic(1).bytes_out == 5; }));
  EXPECT_EQ(engine.traffic(1).bytes_in, 0U);
  client.send("four");
  EXPECT_EQ(up.receive(4), "four");
  EXPECT_TRUE(eventually([&] { return engine.traffic(1).bytes_in == 4; }));
}

TEST_P(ForwarderProxy, PP_1_nginx_knows_the_client_by_it) {
  Nginx nginx("proxy_protocol",
              "location / { return 200 \"$proxy_protocol_addr $proxy_protocol_port "
              "$proxy_protocol_server_addr $proxy_protocol_server_port\\n\"; }");
  Engine engine;
  const auto port = engine.serve(with_header(nginx.port(), GetParam().version));
  Socket client = connect(port);
  client.send("GET / HTTP/1.0\r\n\r\n");
  const std::string answer = client.receive_all();
  const std::string address = GetParam().v6 ? "::1" : "127.0.0.1";
  const std::string expected = address + " " + std::to_string(client.local_port()) + " " + address +
                               " " + std::to_string(port) + "\n";
  EXPECT_TRUE(answer.ends_with(expected)) << answer;
}

INSTANTIATE_TEST_SUITE_P(Versions, ForwarderProxy,
                         testing::Values(Case{ProxyVersion::v1, false},
                                         Case{ProxyVersion::v1, true},
                                         Case{ProxyVersion::v2, false},
                                         Case{ProxyVersion::v2, true}),
                         [](const auto& param) {
                           return std::string(model::proxy_version_name(param.param.version)) +
                                  (param.param.v6 ? "_ipv6" : "_ipv4");
                         });

TEST(ForwarderProxyList, PP_1_each_target_has_its_own_setting) {
  const LogCapture log;
  Acceptor second;
  auto spec = Engine::list(1, {refused_port(), second.port()});
  spec.targets[0].proxy = ProxyVersion::v2;
  Engine engine;
  const auto port = engine.serve(spec);
  Socket client = Socket::connect_v4(port);
  client.send("plain");
  EXPECT_EQ(second.accept().receive(5), "plain");
  EXPECT_EQ(log.count("proxy.splice_selected", {"\"has_proxy_out\":false"}), 1U);
}

// What follows needs a process of its own, whose system calls are changed.
class ForwarderProxyDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

[[noreturn]] void done() {
  std::_Exit(testing::Test::HasFailure() ? 1 : 0);
}

constexpr std::uint32_t kHeaderSize = 28;  // v2, IPv4

void header_fails() {
  const LogCapture log;
  Acceptor strict;
  Acceptor plain;
  deny_call(SYS_sendto, EPIPE, Argument{2, kHeaderSize});
  Engine engine({.workers = 1});
  auto spec = Engine::list(1, {strict.port(), plain.port()});
  spec.targets[0].proxy = ProxyVersion::v2;
  const auto port = engine.serve(spec);
  for (int i = 0; i < 3; ++i) {
    Socket client = Socket::connect_v4(port);
    client.send("next");
    EXPECT_EQ(plain.accept().receive(4), "next");
    EXPECT_EQ(strict.accept().receive_all(), "");
  }
  EXPECT_EQ(log.count("rule.target.proxy_protocol_write_failed",
                      {"\"target_index\":0", "\"proxy_protocol\":\"v2\"", "Broken pipe"}),
            3U);
  EXPECT_EQ(log.count("rule.target.dial_failed", {"PROXY header: Broken pipe"}), 3U);
  EXPECT_EQ(log.count("rule.target.health_changed", {"\"to\":\"Failed\""}), 1U);
  EXPECT_EQ(engine.traffic(1).targets[0].connections, 0U);
  EXPECT_EQ(engine.traffic(1).targets[1].connections, 3U);
  // The only target of a rule: the connection ends with it.
  auto single = with_header(strict.port(), ProxyVersion::v2);
  single.id = RuleId{2};
  Socket client = Socket::connect_v4(engine.serve(single));
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_EQ(log.count("rule.conn_error", {"PROXY header: Broken pipe"}), 1U);
  done();
}

TEST_F(ForwarderProxyDeathTest, PP_1_a_header_that_fails_is_a_failure_of_that_target) {
  EXPECT_EXIT(header_fails(), testing::ExitedWithCode(0), "");
}

void header_is_not_taken() {
  const LogCapture log;
  Acceptor stuck;
  Acceptor plain;
  deny_call(SYS_sendto, EAGAIN, Argument{2, kHeaderSize});
  Engine engine({.workers = 1});
  auto spec = Engine::list(1, {stuck.port(), plain.port()});
  spec.targets[0].proxy = ProxyVersion::v2;
  const auto port = engine.serve(spec);
  const auto begin = std::chrono::steady_clock::now();
  Socket client = Socket::connect_v4(port);
  client.send("late");
  EXPECT_EQ(plain.accept().receive(4), "late");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, seconds(10));
  EXPECT_EQ(log.count("rule.target.proxy_protocol_write_failed", {"Connection timed out"}), 1U);
  done();
}

TEST_F(ForwarderProxyDeathTest, PP_1_a_header_that_is_not_taken_has_ten_seconds) {
  EXPECT_EXIT(header_is_not_taken(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace portunus::test
