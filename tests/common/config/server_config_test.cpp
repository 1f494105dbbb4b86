#include "common/config/server_config.hpp"

#include <gtest/gtest.h>

#include "common/config/errc.hpp"
#include "common/config/file.hpp"
#include "common/config/origin.hpp"
#include "tests/support/temp_dir.hpp"

namespace portunus::config {
namespace {

const DataDir kDir{"/data"};

ServerConfig good(std::string_view toml) {
  auto config = parse_server_config(toml, kDir);
  EXPECT_TRUE(config) << config.error().text();
  return config.value();
}

std::string refusal(std::string_view toml) {
  const auto config = parse_server_config(toml, kDir);
  EXPECT_FALSE(config) << toml;
  if (config) return {};
  EXPECT_EQ(config.error().code, Errc::config_invalid);
  return config.error().text();
}

TEST(ServerConfig, has_the_defaults_of_the_contract) {
  const ServerConfig config = good("");
  EXPECT_EQ(config.control_listen.text(), "0.0.0.0:7443");
  EXPECT_EQ(config.operator_http_listen.text(), "127.0.0.1:7080");
  EXPECT_EQ(config.metrics_listen.text(), "127.0.0.1:7081");
  EXPECT_EQ(config.tls_cert_path, "/data/server.crt");
  EXPECT_EQ(config.tls_key_path, "/data/server.key");
  EXPECT_EQ(config.shutdown_drain_timeout, std::chrono::seconds(30));
  EXPECT_EQ(config.log_format, log::Format::json);
  EXPECT_EQ(config.range_rule_max_ports, 1024U);
  EXPECT_EQ(config.udp_flow_idle_secs, 60U);
  EXPECT_EQ(config.udp_max_flows_per_rule, 1024U);
  EXPECT_TRUE(config.operator_token.empty());
  EXPECT_FALSE(config.operator_http_public_origin);
}

TEST(ServerConfig, reads_every_key) {
  const ServerConfig config = good(R"(
control_listen = "[::]:0"
operator_http_listen = "0.0.0.0:80"
metrics_listen = "[::1]:9"
operator_http_public_origin = "https://console.example.com"
tls_cert_path = "a.crt"
tls_key_path = "/b.key"
token_store_path = "t"
operator_store_path = "o"
shutdown_drain_timeout_secs = 0
log_format = "compact"
range_rule_max_ports = 1
udp_flow_idle_secs = 300
udp_max_flows_per_rule = 65535
operator_token = "x"
)");
  EXPECT_EQ(config.control_listen.text(), "[::]:0");
  EXPECT_EQ(config.metrics_listen.text(), "[::1]:9");
  EXPECT_EQ(config.operator_http_public_origin, "https://console.example.com");
  EXPECT_EQ(config.tls_cert_path, "a.crt");
  EXPECT_EQ(config.shutdown_drain_timeout.count(), 0);
  EXPECT_EQ(config.log_format, log::Format::compact);
  EXPECT_EQ(config.operator_token.reveal(), "x");
}

TEST(ServerConfig, refusals_name_their_key) {
  EXPECT_TRUE(refusal("nonsense = 1").starts_with("config_invalid: unknown field `nonsense`"));
  EXPECT_TRUE(refusal("[table]\na = 1").contains("unknown field `table`"));
  EXPECT_TRUE(refusal("control_listen = 7").contains("control_listen"));
  EXPECT_TRUE(refusal("control_listen = \"host:1\"").contains("control_listen"));
  EXPECT_TRUE(refusal("log_format = \"pretty\"").contains("log_format"));
  EXPECT_TRUE(refusal("shutdown_drain_timeout_secs = -1").contains("shutdown_drain_timeout_secs"));
  EXPECT_TRUE(refusal("shutdown_drain_timeout_secs = \"3\"").contains("shutdown_drain"));
  EXPECT_TRUE(refusal("tls_key_path = \"\"").contains("tls_key_path"));
  EXPECT_TRUE(refusal("operator_token = \"\"").contains("operator_token"));
  EXPECT_TRUE(refusal("a = = 1").starts_with("config_invalid: line 1"));
}

TEST(ServerConfig, bounds_have_their_exact_text) {
  EXPECT_EQ(refusal("udp_flow_idle_secs = 29"),
            "config_invalid: udp_flow_idle_secs out of range (got 29, expected 30..=300)");
  EXPECT_EQ(refusal("udp_flow_idle_secs = 301"),
            "config_invalid: udp_flow_idle_secs out of range (got 301, expected 30..=300)");
  EXPECT_EQ(refusal("udp_max_flows_per_rule = 0"),
            "config_invalid: udp_max_flows_per_rule out of range (got 0, expected 1..=65535)");
  EXPECT_TRUE(refusal("range_rule_max_ports = 0")
                  .starts_with("config_invalid: range_rule_max_ports must be >= 1"));
}

TEST(ServerConfig, a_refusal_never_quotes_the_operator_token) {
  EXPECT_FALSE(refusal("operator_token = \"" + std::string(257, 'S') + "\"").contains("SSS"));
  EXPECT_FALSE(refusal("operator_token = \"SSS").contains("SSS"));
  EXPECT_FALSE(refusal("operator_token = SSS").contains("SSS"));
}

TEST(ServerConfig, an_absent_file_means_defaults_and_an_unreadable_one_is_refused) {
  const test::TempDir temp;
  EXPECT_TRUE(load_server_config({temp.path()}));
  ASSERT_TRUE(replace_file(temp / "server.toml", "log_format = \"compact\"", 0600));
  EXPECT_EQ(load_server_config({temp.path()})->log_format, log::Format::compact);
  std::filesystem::remove(temp / "server.toml");
  std::filesystem::create_directory(temp / "server.toml");
  EXPECT_EQ(load_server_config({temp.path()}).error().code, Errc::config_invalid);
}

TEST(PublicOrigin, is_a_scheme_a_host_and_maybe_a_port) {
  for (const char* ok : {"http://a", "https://console.example.com", "https://10.0.0.1:8443",
                         "http://[::1]", "http://[2001:db8::1]:80", "https://a-b.c:65535"}) {
    EXPECT_TRUE(is_public_origin(ok)) << ok;
  }
  for (const char* bad : {"",
                          "a",
                          "ftp://a",
                          "HTTP://a",
                          "https://",
                          "https://a/",
                          "https://a/b",
                          "https://a?b",
                          "https://a#b",
                          "https://u@a",
                          "https://a:",
                          "https://a:0",
                          "https://a:65536",
                          "https://::1",
                          "https://[::1",
                          "https://[10.0.0.1]",
                          "https://a b",
                          " https://a",
                          "https://-a",
                          "https://a-.b",
                          "https://a..b",
                          "https://a_b",
                          "https://1.2.3",
                          "https://999.1.1.1"}) {
    EXPECT_FALSE(is_public_origin(bad)) << bad;
  }
}

}  // namespace
}  // namespace portunus::config
