#include "standalone/standalone_config.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tests/support/temp_dir.hpp"

namespace portunus::standalone {
namespace {

using model::Protocol;

constexpr std::string_view kRule =
    "[[rule]]\nname = \"web\"\nlisten_port = 18080\ntarget = \"127.0.0.1:8080\"\n";

StandaloneConfig good(std::string_view text) {
  auto config = parse_config(text);
  EXPECT_TRUE(config) << config.error();
  return config ? std::move(*config) : StandaloneConfig{};
}

std::string fault(std::string_view text) {
  const auto config = parse_config(text);
  return config ? "" : config.error();
}

TEST(StandaloneConfig, a_rule_needs_a_name_a_listener_and_a_target) {
  const auto config = good(kRule);
  ASSERT_EQ(config.rules.size(), 1U);
  const model::RuleSpec& spec = config.rules[0].spec;
  EXPECT_EQ(spec.label, "web");
  EXPECT_EQ(spec.protocol, Protocol::tcp);
  EXPECT_EQ(spec.listen_port, 18080);
  EXPECT_EQ(spec.ports, 1U);
  EXPECT_EQ(spec.target().text(), "127.0.0.1:8080");
  EXPECT_FALSE(spec.listed);
  EXPECT_EQ(config.drain, std::chrono::seconds(30));
  EXPECT_TRUE(config.stats.enabled);
  EXPECT_EQ(config.stats.socket_path, "/run/portunus/standalone.sock");
  EXPECT_EQ(config.stats.refresh_ms, 1000U);
  EXPECT_EQ(config.log_level, "info");
  EXPECT_EQ(config.log_format, "json");
}

TEST(StandaloneConfig, the_id_is_the_head_of_the_names_hash_little_endian) {
  const auto config = good(kRule);
  EXPECT_EQ(config.rules[0].spec.id, rule_id_of("web"));
  EXPECT_NE(rule_id_of("web"), rule_id_of("Web"));
  // SHA-256("abc") = ba7816bf 8f01cfea …
  EXPECT_EQ(rule_id_of("abc").value, 0xeacf018fbf1678baULL);
}

TEST(StandaloneConfig, every_key_arrives) {
  const auto config = good(R"(
[global]
label = "edge of the lab"
log_level = "debug,dataplane.udp=trace"
log_format = "pretty"
shutdown_drain_secs = 5
[defaults]
protocol = "udp"
udp_max_flows = 64
udp_flow_idle_secs = 30
prefer_ipv6 = true
[stats]
enabled = false
socket_path = "/tmp/x.sock"
refresh_ms = 250
[[rule]]
name = "dns"
listen_port = 5353
target = "resolver.example:53"
[[rule]]
name = "game"
protocol = "tcp"
listen_ports = "30000-30009"
target = "[::1]:40000-40009"
prefer_ipv6 = false
[[rule]]
name = "site"
protocol = "tcp"
listen_port = 443
targets = [
  { host = "a.example", port = 8443, proxy_protocol = "v2" },
  { host = "[2001:db8::1]", port = 8443, priority = 7, proxy_protocol = "v1" },
]
[[rule]]
name = "voice"
listen_port = 6000
target = "10.0.0.1:6000"
udp_max_flows = 7
udp_flow_idle_secs = 300
)");
  EXPECT_EQ(config.label, "edge of the lab");
  EXPECT_EQ(config.log_level, "debug,dataplane.udp=trace");
  EXPECT_EQ(config.log_format, "pretty");
  EXPECT_EQ(config.drain, std::chrono::seconds(5));
  EXPECT_FALSE(config.stats.enabled);
  EXPECT_EQ(config.stats.socket_path, "/tmp/x.sock");
  EXPECT_EQ(config.stats.refresh_ms, 250U);
  ASSERT_EQ(config.rules.size(), 4U);

  const StandaloneRule& dns = config.rules[0];
  EXPECT_EQ(dns.spec.protocol, Protocol::udp);
  EXPECT_EQ(dns.spec.target().host, "resolver.example");
  EXPECT_EQ(dns.spec.prefer_ipv6, true);
  EXPECT_EQ(dns.udp, (model::UdpSettings{std::chrono::seconds(30), 64}));

  const model::RuleSpec& game = config.rules[1].spec;
  EXPECT_EQ(game.listen_port, 30000);
  EXPECT_EQ(game.last_listen_port(), 30009);
  EXPECT_EQ(game.target().text(), "[::1]:40000");
  EXPECT_FALSE(game.prefer_ipv6.value_or(false));

  const model::RuleSpec& site = config.rules[2].spec;
  ASSERT_EQ(site.targets.size(), 2U);
  EXPECT_TRUE(site.listed);
  EXPECT_EQ(site.targets[0].proxy, model::ProxyVersion::v2);
  EXPECT_EQ(site.targets[0].priority, 0U);
  EXPECT_EQ(site.targets[1].host, "[2001:db8::1]");
  EXPECT_EQ(site.targets[1].priority, 7U);

  EXPECT_EQ(config.rules[3].udp, (model::UdpSettings{std::chrono::seconds(300), 7}));
}

struct Refused {
  const char* name;
  std::string text;
  std::string says;
};

class StandaloneConfigRefuses : public testing::TestWithParam<Refused> {};

TEST_P(StandaloneConfigRefuses, with_the_text_of_the_contract) {
  const std::string said = fault(GetParam().text);
  EXPECT_NE(said.find(GetParam().says), std::string::npos) << "said: " << said;
}

std::string rule(std::string_view rest) {
  return "[[rule]]\nname = \"r\"\n" + std::string(rest);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, StandaloneConfigRefuses,
    testing::Values(
        Refused{"not_toml", "[[rule", "toml parse error: line 1"},
        Refused{"unknown_table", "[other]\n",
                "toml parse error: line 1, column 2: unknown field `other`"},
        Refused{"unknown_global", "[global]\nlevel = 1\n", "unknown field `level`"},
        Refused{"unknown_default", "[defaults]\nname = \"x\"\n", "unknown field `name`"},
        Refused{"unknown_stats", "[stats]\nport = 1\n", "unknown field `port`"},
        Refused{"unknown_rule_key", std::string(kRule) + "rate_limit = 1\n",
                "unknown field `rate_limit`"},
        Refused{"unknown_target_key",
                rule("listen_port = 1\ntargets = [{host = \"a\", port = 1, x = 1}]\n"),
                "unknown field `x`"},
        Refused{"wrong_type", rule("listen_port = \"1\"\ntarget = \"a:1\"\n"),
                "toml parse error: line 3"},
        Refused{"port_too_large", rule("listen_port = 65536\ntarget = \"a:1\"\n"),
                "toml parse error: "},
        Refused{"negative", "[global]\nshutdown_drain_secs = -1\n", "toml parse error: "},
        Refused{"no_name", "[[rule]]\nlisten_port = 1\ntarget = \"a:1\"\n", "missing field `name`"},
        Refused{"target_without_host", rule("listen_port = 1\ntargets = [{port = 1}]\n"),
                "missing field `host`"},
        Refused{"no_rules", "[global]\n", "config must contain at least one [[rule]]"},
        Refused{"empty", "", "config must contain at least one [[rule]]"},
        Refused{"same_name", std::string(kRule) + std::string(kRule),
                "duplicate rule name: \"web\""},
        Refused{"no_listener", rule("target = \"a:1\"\n"),
                "each rule must have exactly one of `listen_port` or `listen_ports`"},
        Refused{"two_listeners",
                rule("listen_port = 1\nlisten_ports = \"1-2\"\ntarget = \"a:1\"\n"),
                "exactly one of `listen_port` or `listen_ports`"},
        Refused{"no_target", rule("listen_port = 1\n"),
                "each rule must have exactly one of `target` or `targets`"},
        Refused{"two_targets", rule("listen_port = 1\ntarget = \"a:1\"\ntargets = []\n"),
                "exactly one of `target` or `targets`"},
        Refused{"range_text", rule("listen_ports = \"1..2\"\ntarget = \"a:1\"\n"),
                "port range string invalid in rule \"r\": "},
        Refused{"range_inverted", rule("listen_ports = \"2-1\"\ntarget = \"a:1\"\n"),
                "port range string invalid in rule \"r\": "},
        Refused{"port_zero", rule("listen_port = 0\ntarget = \"a:1\"\n"),
                "port range string invalid in rule \"r\": "},
        Refused{"target_range", rule("listen_port = 1\ntarget = \"a:2-1\"\n"),
                "port range string invalid in rule \"r\": "},
        Refused{"target_no_port", rule("listen_port = 1\ntarget = \"a\"\n"),
                "target parse error in rule \"r\": "},
        Refused{"target_port_zero", rule("listen_port = 1\ntarget = \"a:0\"\n"),
                "target parse error in rule \"r\": "},
        Refused{"bare_v6", rule("listen_port = 1\ntarget = \"::1:80\"\n"),
                "target parse error in rule \"r\": "},
        Refused{"bad_host", rule("listen_port = 1\ntarget = \"a_b:80\"\n"),
                "target parse error in rule \"r\": "},
        Refused{"bad_protocol", rule("protocol = \"TCP\"\nlisten_port = 1\ntarget = \"a:80\"\n"),
                "target parse error in rule \"r\": "},
        Refused{
            "bad_proxy",
            rule(
                "listen_port = 1\ntargets = [{host = \"a\", port = 1, proxy_protocol = \"v3\"}]\n"),
            "target parse error in rule \"r\": "},
        Refused{"proxy_on_udp",
                rule("protocol = \"udp\"\nlisten_port = 1\ntargets = [{host = \"a\", port = 1, "
                     "proxy_protocol = \"v1\"}]\n"),
                "target parse error in rule \"r\": "},
        Refused{"row_port", rule("listen_port = 1\ntargets = [{host = \"a\", port = 70000}]\n"),
                "target parse error in rule \"r\": "},
        Refused{"widths", rule("listen_ports = \"1-10\"\ntarget = \"a:1-9\"\n"),
                "range size mismatch: listen has 10 ports, target has 9"},
        Refused{"widths_single", rule("listen_ports = \"1-10\"\ntarget = \"a:1\"\n"),
                "range size mismatch: listen has 10 ports, target has 1"},
        Refused{"empty_list", rule("listen_port = 1\ntargets = []\n"), "\"r\""},
        Refused{"list_with_range",
                rule("listen_ports = \"1-2\"\ntargets = [{host = \"a\", port = 1}]\n"), "\"r\""}),
    [](const auto& info) { return info.param.name; });

TEST(StandaloneConfig, reports_the_first_condition_of_the_table_over_all_rules) {
  // The second rule's listen form stands above the first rule's bad target.
  const std::string text =
      "[[rule]]\nname = \"a\"\nlisten_port = 1\ntarget = \"nope\"\n"
      "[[rule]]\nname = \"b\"\ntarget = \"a:1\"\n";
  EXPECT_NE(fault(text).find("`listen_port` or `listen_ports`"), std::string::npos) << fault(text);
}

TEST(StandaloneConfig, the_refresh_is_bounded_only_while_the_socket_is_enabled) {
  for (const auto [refresh, good] :
       {std::pair{249, false}, {250, true}, {5000, true}, {5001, false}}) {
    const auto stats = StatsSettings{.refresh_ms = static_cast<std::uint64_t>(refresh)};
    EXPECT_EQ(check_stats(stats).has_value(), good) << refresh;
  }
  EXPECT_EQ(check_stats({.refresh_ms = 249}).error(),
            "validation error: [stats] refresh_ms must be in 250..=5000 (got 249)");
  EXPECT_TRUE(check_stats({.enabled = false, .refresh_ms = 1}));
}

TEST(StandaloneConfig, a_file_that_cannot_be_read_is_an_io_error) {
  const test::TempDir dir;
  const auto config = load_config(dir.path() / "none.toml");
  ASSERT_FALSE(config);
  EXPECT_TRUE(config.error().starts_with("io error: ")) << config.error();
}

}  // namespace
}  // namespace portunus::standalone
