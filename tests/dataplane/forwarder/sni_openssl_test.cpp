// A real client, `openssl s_client`, through a port in SNI mode to real TLS servers.

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

#include "common/base/clock.hpp"
#include "common/crypto/certificate.hpp"
#include "tests/dataplane/support/engine.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/support/raw_tls_server.hpp"

namespace portunus::test {
namespace {

RawTlsServer::Options server(const std::string& name) {
  auto pair = crypto::generate_self_signed(name, "", SystemClock::instance().now());
  return {.pair = std::move(pair.value()), .select_h2 = false};
}

/// Everything that the client says, of itself and of the server.
std::string s_client(std::uint16_t port, const std::string& options) {
  const std::string command =
      "printf 'through the tunnel' | timeout 20 openssl s_client -connect "
      "127.0.0.1:" +
      std::to_string(port) + " " + options + " 2>&1";
  std::string out;
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return "no shell";
  std::array<char, 4096> buffer;
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) out += buffer.data();
  ::pclose(pipe);
  return out;
}

class SniOpensslTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    add(1, exact_, "a.example.com");
    add(2, wildcard_, "*.example.com");
  }
  void add(std::uint64_t id, const RawTlsServer& target, std::optional<std::string> pattern) {
    auto rule = Engine::rule(id, port_, target.port());
    rule.sni_pattern = std::move(pattern);
    ASSERT_EQ(engine_.activate(rule), "");
  }
  /// The name in the certificate that the client was shown, or all it said.
  std::string shown(const std::string& options) {
    const std::string said = s_client(port_, std::string(GetParam()) + " " + options);
    for (const char* name : {"exact.test", "wildcard.test", "fallback.test"}) {
      if (said.contains(std::string("CN = ") + name)) return name;
    }
    return said;
  }

  RawTlsServer exact_{server("exact.test")};
  RawTlsServer wildcard_{server("wildcard.test")};
  RawTlsServer fallback_{server("fallback.test")};
  const std::uint16_t port_ = free_port();
  Engine engine_;
};

TEST_P(SniOpensslTest, SNI_8_the_handshake_is_the_targets_own) {
  EXPECT_EQ(shown("-servername a.example.com"), "exact.test");
  EXPECT_TRUE(eventually([&] { return exact_.received() == "through the tunnel"; }));
  EXPECT_EQ(exact_.server_name(), "a.example.com");
  EXPECT_EQ(shown("-servername B.Example.com"), "wildcard.test");
  EXPECT_TRUE(eventually([&] { return wildcard_.received() == "through the tunnel"; }));
}

TEST_P(SniOpensslTest, SNI_6_without_a_name_only_the_fallback_answers) {
  EXPECT_FALSE(shown("-noservername").contains(".test"));
  add(3, fallback_, std::nullopt);
  EXPECT_EQ(shown("-noservername"), "fallback.test");
  EXPECT_EQ(shown("-servername unknown.example.org"), "fallback.test");
  EXPECT_EQ(exact_.connections() + wildcard_.connections(), 0);
}

TEST_P(SniOpensslTest, SNI_6_a_name_without_a_match_gets_no_handshake) {
  EXPECT_FALSE(shown("-servername a.b.example.com").contains(".test"));
  EXPECT_EQ(exact_.connections() + wildcard_.connections(), 0);
}

INSTANTIATE_TEST_SUITE_P(Versions, SniOpensslTest, testing::Values("-tls1_2", "-tls1_3"),
                         [](const auto& info) { return std::string(info.param).substr(1); });

}  // namespace
}  // namespace portunus::test
