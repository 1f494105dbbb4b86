#include "standalone/stats_messages.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace portunus::standalone {
namespace {

using Json = nlohmann::json;

std::vector<StandaloneRule> two_rules() {
  auto config = parse_config(R"(
[[rule]]
name = "site"
listen_port = 443
targets = [{ host = "a.example", port = 8443, priority = 3, proxy_protocol = "v2" },
           { host = "10.0.0.1", port = 8443 }]
[[rule]]
name = "games"
protocol = "udp"
listen_ports = "30000-30009"
target = "10.0.0.2:40000-40009"
udp_max_flows = 99
)");
  return std::move(config->rules);
}

TEST(StatsMessages, hello_describes_every_rule) {
  const auto rules = two_rules();
  const std::string line =
      hello_line({.started_at = from_unix_micros(1'700'000'000'123'456), .refresh_ms = 500}, rules);
  EXPECT_TRUE(line.ends_with("}\n"));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const Json hello = Json::parse(line);
  EXPECT_EQ(hello["v"], 1);
  EXPECT_EQ(hello["daemon_started_at_ms"], 1'700'000'000'123);
  EXPECT_EQ(hello["refresh_ms"], 500);
  EXPECT_TRUE(hello["daemon_version"].is_string());
  const Json expected = {
      {{"id", std::to_string(rule_id_of("site").value)},
       {"name", "site"},
       {"proto", "tcp"},
       {"listen", "443"},
       {"targets",
        {{{"host", "a.example"}, {"port", 8443}, {"priority", 3}, {"proxy_protocol", "v2"}},
         {{"host", "10.0.0.1"}, {"port", 8443}, {"priority", 0}, {"proxy_protocol", nullptr}}}},
       {"splice_capable", true},
       {"udp_max_flows", nullptr}},
      {{"id", std::to_string(rule_id_of("games").value)},
       {"name", "games"},
       {"proto", "udp"},
       {"listen", "30000-30009"},
       {"targets",
        {{{"host", "10.0.0.2"}, {"port", 40000}, {"priority", 0}, {"proxy_protocol", nullptr}}}},
       {"splice_capable", false},
       {"udp_max_flows", 99}}};
  EXPECT_EQ(hello["rules"], expected);
}

TEST(StatsMessages, a_snapshot_has_every_rule_in_the_order_of_the_file) {
  const auto rules = two_rules();
  model::RuleTraffic games;
  games.rule = rule_id_of("games");
  games.bytes_in = 1;
  games.bytes_out = 2;
  games.active_flows = 3;
  games.dns_failures = 4;
  games.datagrams_in = 5;
  games.datagrams_out = 6;
  games.flows_dropped_overflow = 7;
  games.target_failovers = 8;
  model::LocalTraffic local;
  local.rule = games.rule;
  local.connections_total = 9;
  local.flows_pending_drops = 10;
  local.bandwidth_dropped_in = 11;
  local.bandwidth_dropped_out = 12;
  local.send_dropped = 13;
  local.icmp_evict = 14;
  local.emsgsize = 15;
  local.wouldblock = 16;
  local.addflow_dropped = 17;
  local.upstream_connect_failed = 18;
  const Json snapshot = Json::parse(
      snapshot_line({.sequence = 41,
                     .now = from_unix_micros(1'700'000'001'000'000),
                     .uptime = std::chrono::milliseconds(877),
                     .process = {.fd_open = 12, .fd_limit = 65535, .rss_bytes = std::nullopt},
                     .traffic = {&games, 1},
                     .local = {&local, 1}},
                    rules));
  EXPECT_EQ(snapshot["t_ms"], 1'700'000'001'000);
  EXPECT_EQ(snapshot["uptime_ms"], 877);
  EXPECT_EQ(snapshot["seq"], 41);
  EXPECT_EQ(snapshot["process"],
            (Json{{"fd_open", 12}, {"fd_limit", 65535}, {"rss_bytes", nullptr}}));
  ASSERT_EQ(snapshot["r"].size(), 2U);
  EXPECT_EQ(snapshot["r"][0]["id"], std::to_string(rule_id_of("site").value));
  EXPECT_EQ(snapshot["r"][0]["in"], 0);
  EXPECT_EQ(snapshot["r"][1], (Json{{"id", std::to_string(rule_id_of("games").value)},
                                    {"in", 1},
                                    {"out", 2},
                                    {"conns_active", 0},
                                    {"conns_total", 9},
                                    {"datagrams_in", 5},
                                    {"datagrams_out", 6},
                                    {"flows_active", 3},
                                    {"target_failovers_total", 8},
                                    {"err",
                                     {{"port_in_use", 0},
                                      {"upstream_connect_failed", 18},
                                      {"icmp_evict", 14},
                                      {"emsgsize", 15},
                                      {"wouldblock", 16},
                                      {"addflow_dropped", 17},
                                      {"dns_failures", 4},
                                      {"flows_dropped_overflow", 7},
                                      {"flows_pending_drops", 10},
                                      {"bandwidth_dropped_in", 11},
                                      {"bandwidth_dropped_out", 12},
                                      {"send_dropped", 13}}}}));
}

}  // namespace
}  // namespace portunus::standalone
