#include "server/metrics/exposition.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/counters.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"

namespace portunus::server::metrics {
namespace {

Snapshot::Rule rule(std::uint64_t id, bool live = true) {
  Snapshot::Rule out;
  out.client = "edge-01";
  out.owner = "alice";
  out.rule = id;
  out.live = live;
  return out;
}

/// Something in every family.
Snapshot everything() {
  Snapshot snapshot;
  snapshot.clients = {{"edge-01", true}, {"edge-02", false}};
  snapshot.rules = {rule(7), rule(8, false)};
  snapshot.rules[0].total = test::filled<model::RuleTraffic>(2);
  snapshot.rules[0].total.bytes_in = 18'014'398'509'481;
  snapshot.rules[0].active_connections = 3;
  snapshot.rules[0].active_flows = 4;
  snapshot.rules[1].total.bytes_in = 5;
  model::LimitTraffic limit = test::filled<model::LimitTraffic>(1'500'000);
  limit.active = 6;
  snapshot.limits = {{"edge-01", "alice", 7, limit, true}, {"edge-01", "bob", {}, limit, true}};
  model::SniPortTraffic port = test::filled<model::SniPortTraffic>(9);
  port.peek_sum_micros = 2'500'000;
  snapshot.sni_ports = {{"edge-01", 443, port}};
  snapshot.sni_routes_active = 2;
  snapshot.quotas = {{.user_id = "alice",
                      .client_name = "edge-01",
                      .bytes_used = 18'014'398'509'481,
                      .bytes_limit = 7,
                      .exhausted = true,
                      .period_resets = 2,
                      .exhaustions = 3},
                     {.user_id = "bob", .client_name = "edge-01", .bytes_limit = 5}};
  snapshot.auth_failures = {{"token_revoked", 2}};
  snapshot.audit_drops = 9;
  snapshot.audit_lag_seconds = 0.25;
  snapshot.requests = {{{"allow", "ok"}, 4}, {{"deny", "unauthenticated"}, 1}};
  return snapshot;
}

std::string render(Snapshot snapshot) {
  Exposition exposition(std::move(snapshot));
  while (exposition.step()) {
  }
  return exposition.take();
}

using Lines = std::map<std::string, std::vector<std::string>>;

/// The rows of each family, by its HELP and TYPE.
Lines lines_of(const std::string& text) {
  Lines out;
  std::string head;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      head = line;
    } else if (line.starts_with("# TYPE ")) {
      head += "\n" + line;
      EXPECT_FALSE(out.contains(head)) << "a family begins once";
    } else {
      out[head].push_back(line);
    }
  }
  return out;
}

bool has_line(const std::string& text, std::string_view line) {
  return ("\n" + text).find("\n" + std::string(line) + "\n") != std::string::npos;
}

TEST(ExpositionTest, OBS_8_EveryFamilyInOrderWithHelpAndType) {
  const std::string text = render(everything());
  std::vector<std::string> families;
  std::istringstream lines(text);
  std::string help;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      help = line.substr(7, line.find(' ', 7) - 7);
    } else if (line.starts_with("# TYPE ")) {
      families.push_back(line.substr(7));
      EXPECT_TRUE(line.starts_with("# TYPE " + help + " ")) << line;
    }
  }
  EXPECT_EQ(families, (std::vector<std::string>{
                          "portunus_audit_buffer_drops_total counter",
                          "portunus_audit_durable_writer_lag_seconds gauge",
                          "portunus_auth_failures_total counter",
                          "portunus_clients_connected gauge",
                          "portunus_operator_requests_total counter",
                          "portunus_rate_limit_active_connections gauge",
                          "portunus_rate_limit_reject_total counter",
                          "portunus_rate_limit_throttle_seconds_total counter",
                          "portunus_rule_active_connections gauge",
                          "portunus_rule_active_flows gauge",
                          "portunus_rule_bytes_in_total counter",
                          "portunus_rule_bytes_out_total counter",
                          "portunus_rule_dns_failures_total counter",
                          "portunus_rule_flows_dropped_overflow_total counter",
                          "portunus_rule_target_failovers_total counter",
                          "portunus_rule_udp_datagrams_in_total counter",
                          "portunus_rule_udp_datagrams_out_total counter",
                          "portunus_store_busy_total counter",
                          "portunus_tls_client_hello_peek_duration_seconds histogram",
                          "portunus_tls_sni_listener_miss_total counter",
                          "portunus_tls_sni_listener_parse_failures_total counter",
                          "portunus_tls_sni_route_total counter",
                          "portunus_tls_sni_routes_active gauge",
                          "portunus_traffic_quota_bytes_limit gauge",
                          "portunus_traffic_quota_bytes_used gauge",
                          "portunus_traffic_quota_exhausted gauge",
                          "portunus_traffic_quota_exhausted_total counter",
                          "portunus_traffic_quota_period_resets_total counter",
                      }));
}

TEST(ExpositionTest, RowsCarryTheirLabelsInOrder) {
  const std::string text = render(everything());
  for (
      const char* line :
      {"portunus_audit_buffer_drops_total 9", "portunus_audit_durable_writer_lag_seconds 0.25",
       R"(portunus_auth_failures_total{reason="token_revoked"} 2)",
       R"(portunus_clients_connected{client="edge-01"} 1)",
       R"(portunus_clients_connected{client="edge-02"} 0)",
       R"(portunus_operator_requests_total{outcome="deny",reason="unauthenticated"} 1)",
       R"(portunus_rule_active_connections{client="edge-01",owner="alice",rule="7"} 3)",
       R"(portunus_rule_active_flows{client="edge-01",owner="alice",rule="7"} 4)",
       R"(portunus_rule_bytes_in_total{client="edge-01",owner="alice",rule="7"} 18014398509481)",
       R"(portunus_rule_bytes_in_total{client="edge-01",owner="alice",rule="8"} 5)",
       R"(portunus_tls_sni_route_total{client="edge-01",owner="alice",result="exact",rule="7"} 2)",
       R"(portunus_tls_sni_route_total{client="edge-01",owner="alice",result="fallback",rule="7"} 2)",
       R"(portunus_tls_sni_route_total{client="edge-01",owner="alice",result="wildcard",rule="7"} 2)",
       R"(portunus_tls_sni_listener_miss_total{client="edge-01",port="443"} 9)",
       R"(portunus_tls_sni_listener_parse_failures_total{client="edge-01",port="443"} 9)",
       R"(portunus_store_busy_total 0)"}) {
    EXPECT_TRUE(has_line(text, line)) << line << "\n" << text;
  }
}

TEST(ExpositionTest, OBS_8_OwnerReasonsOnOwnerRowsAndRuleReasonsOnRuleRows) {
  const std::string text = render(everything());
  const auto reject = [&](const char* owner, const char* reason, const char* rule_label) {
    return has_line(
        text, std::string("portunus_rate_limit_reject_total{client=\"edge-01\",owner=\"") + owner +
                  "\",reason=\"" + reason + "\",rule=\"" + rule_label + "\"} 1500000");
  };
  for (const char* reason : {"conn_concurrent", "conn_rate", "udp_flow_rate"}) {
    EXPECT_TRUE(reject("alice", reason, "7")) << reason;
    EXPECT_FALSE(reject("bob", reason, "")) << reason;
  }
  for (const char* reason : {"owner_concurrent", "owner_conn_rate", "owner_udp_flow_rate"}) {
    EXPECT_FALSE(reject("alice", reason, "7")) << reason;
    EXPECT_TRUE(reject("bob", reason, "")) << reason;
  }
  for (
      const char* line :
      {R"(portunus_rate_limit_throttle_seconds_total{client="edge-01",direction="in",owner="alice",rule="7"} 1.5)",
       R"(portunus_rate_limit_throttle_seconds_total{client="edge-01",direction="out",owner="bob",rule=""} 1.5)",
       R"(portunus_rate_limit_active_connections{client="edge-01",owner="bob",rule=""} 6)"}) {
    EXPECT_TRUE(has_line(text, line)) << line;
  }
}

TEST(ExpositionTest, OBS_8_QuotaRowsCountOnceThereIsSomethingToCount) {
  const std::string text = render(everything());
  for (const char* line :
       {R"(portunus_traffic_quota_bytes_limit{client="edge-01",user="alice"} 7)",
        R"(portunus_traffic_quota_bytes_used{client="edge-01",user="alice"} 18014398509481)",
        R"(portunus_traffic_quota_exhausted{client="edge-01",user="alice"} 1)",
        R"(portunus_traffic_quota_exhausted{client="edge-01",user="bob"} 0)",
        R"(portunus_traffic_quota_exhausted_total{client="edge-01",user="alice"} 3)",
        R"(portunus_traffic_quota_period_resets_total{client="edge-01",user="alice"} 2)"}) {
    EXPECT_TRUE(has_line(text, line)) << line << "\n" << text;
  }
  EXPECT_FALSE(text.contains(R"(_exhausted_total{client="edge-01",user="bob"})")) << text;
  EXPECT_FALSE(text.contains(R"(_period_resets_total{client="edge-01",user="bob"})")) << text;
}

TEST(ExpositionTest, OBS_8_ThePeekHistogramHasAllBucketsAtOnce) {
  const std::string text = render(everything());
  const std::string name = "portunus_tls_client_hello_peek_duration_seconds";
  for (const char* bound : {"0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01",
                            "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2", "3", "+Inf"}) {
    EXPECT_TRUE(
        has_line(text, name + R"(_bucket{client="edge-01",port="443",le=")" + bound + "\"} 9"))
        << bound << "\n"
        << text;
  }
  EXPECT_TRUE(has_line(text, name + R"(_sum{client="edge-01",port="443"} 2.5)"));
  EXPECT_TRUE(has_line(text, name + R"(_count{client="edge-01",port="443"} 9)"));

  Snapshot before;
  before.sni_ports = {{"edge-01", 443, {}}};
  EXPECT_EQ(render(before).find("edge-01"), std::string::npos);
}

TEST(ExpositionTest, NothingButWhatIsAlwaysThereOnAnEmptyServer) {
  EXPECT_EQ(render({}),
            "# HELP portunus_audit_buffer_drops_total Audit entries lost.\n"
            "# TYPE portunus_audit_buffer_drops_total counter\n"
            "portunus_audit_buffer_drops_total 0\n"
            "# HELP portunus_audit_durable_writer_lag_seconds Age of the oldest audit entry that "
            "is not committed.\n"
            "# TYPE portunus_audit_durable_writer_lag_seconds gauge\n"
            "portunus_audit_durable_writer_lag_seconds 0\n"
            "# HELP portunus_store_busy_total Times the store was busy.\n"
            "# TYPE portunus_store_busy_total counter\n"
            "portunus_store_busy_total 0\n"
            "# HELP portunus_tls_sni_routes_active Active rules with an SNI pattern.\n"
            "# TYPE portunus_tls_sni_routes_active gauge\n"
            "portunus_tls_sni_routes_active 0\n");
}

TEST(ExpositionTest, OBS_8_ARuleWithoutTrafficHasItsGaugesAndARemovedOneOnlyItsBytes) {
  Snapshot idle;
  idle.rules = {rule(1)};
  const std::string gauges = render(idle);
  const std::string labels = R"({client="edge-01",owner="alice",rule="1"} )";
  EXPECT_TRUE(has_line(gauges, "portunus_rule_active_connections" + labels + "0"));
  EXPECT_TRUE(has_line(gauges, "portunus_rule_active_flows" + labels + "0"));
  EXPECT_EQ(gauges.find("_total" + labels), std::string::npos) << gauges;

  Snapshot removed;
  removed.rules = {rule(1, false)};
  removed.rules[0].total.bytes_out = 9;
  const std::string bytes = render(removed);
  EXPECT_TRUE(has_line(bytes, "portunus_rule_bytes_out_total" + labels + "9"));
  EXPECT_EQ(bytes.find("active_"), std::string::npos);
}

TEST(ExpositionTest, OBS_8_ALimiterRowAppearsWithItsFirstReportAndEachCounterWithItsFirstEvent) {
  Snapshot snapshot;
  snapshot.limits = {{"edge-01", "alice", 7, {}, false}};
  EXPECT_EQ(render(snapshot).find("rate_limit"), std::string::npos);
  snapshot.limits[0].reported = true;
  const std::string reported = render(snapshot);
  EXPECT_NE(reported.find("portunus_rate_limit_active_connections"), std::string::npos);
  EXPECT_EQ(reported.find("reject_total"), std::string::npos);
  EXPECT_EQ(reported.find("throttle"), std::string::npos);
}

TEST(ExpositionTest, OBS_8_a_family_of_many_rows_is_the_rows_of_each_rule_in_their_order) {
  constexpr std::size_t kRules = 1000;
  Snapshot all;
  Lines expected;
  for (std::size_t i = 0; i < kRules; ++i) {
    Snapshot one = everything();
    one.rules.resize(1);
    one.limits.resize(1);
    one.rules[0].rule = i;
    one.rules[0].total.bytes_in = i;  // the first one has no row there
    one.limits[0].rule = i;
    one.sni_ports[0].port = static_cast<std::uint16_t>(i);
    one.quotas.resize(1);
    one.quotas[0].user_id = "user-" + std::to_string(i);
    all.rules.push_back(one.rules[0]);
    all.limits.push_back(one.limits[0]);
    all.sni_ports.push_back(one.sni_ports[0]);
    all.quotas.push_back(one.quotas[0]);
    one.clients = {};
    one.auth_failures = {};
    one.requests = {};
    for (const auto& [head, rows] : lines_of(render(std::move(one)))) {
      std::vector<std::string>& family = expected[head];
      if (!rows[0].contains('{') && !family.empty()) continue;  // there is one row, of the server
      family.insert(family.end(), rows.begin(), rows.end());
    }
  }
  all.sni_routes_active = 2;
  all.audit_drops = 9;
  all.audit_lag_seconds = 0.25;
  Exposition exposition(all);
  std::size_t steps = 0;
  std::chrono::steady_clock::duration longest{};
  for (bool more = true; more; ++steps) {
    const auto start = std::chrono::steady_clock::now();
    more = exposition.step();
    longest = std::max(longest, std::chrono::steady_clock::now() - start);
  }
  RecordProperty("longest_step_us", static_cast<int>(longest / std::chrono::microseconds(1)));
  const std::string text = exposition.take();
  EXPECT_EQ(lines_of(text), expected);
  std::string whole;
  for (const auto& [head, rows] : expected) {  // which stand in the order of their names
    whole += head + "\n";
    for (const std::string& row : rows) whole += row + "\n";
  }
  EXPECT_TRUE(text == whole) << "byte for byte";
  // No step makes or writes more than an eighth of a family's rows.
  EXPECT_GE(steps, 8 * expected.size());
}

/// The real judge of the format, where it is installed.
TEST(ExpositionTest, PromtoolAcceptsEveryFamily) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) GTEST_SKIP() << "no promtool";
  const test::TempDir dir;
  test::write_file(dir / "metrics.txt", render(everything()));
  const std::string command = "promtool check metrics <'" + (dir / "metrics.txt").string() +
                              "' >'" + (dir / "said.txt").string() + "' 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0) << test::read_file(dir / "said.txt");
}

TEST(ExpositionTest, LabelValuesAreEscaped) {
  Snapshot snapshot;
  snapshot.auth_failures = {{"a\"b\\c\nd", 1}};
  EXPECT_NE(render(snapshot).find(R"({reason="a\"b\\c\nd"} 1)"), std::string::npos);
}

}  // namespace
}  // namespace portunus::server::metrics
