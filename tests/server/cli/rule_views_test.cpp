#include "server/cli/rule_views.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace portunus::server::cli {
namespace {

std::string rules(std::string_view json) {
  std::ostringstream out;
  const auto printed = print_rules(out, Json::parse(json), Format::text);
  return printed ? out.str() : "fault: " + printed.error();
}

std::string stats(std::string_view json, Format format, StatsDetail detail = {}) {
  std::ostringstream out;
  const auto printed = print_stats(out, Json::parse(json), format, detail);
  return printed ? out.str() : "fault: " + printed.error();
}

constexpr std::string_view kHeader =
    "ID     CLIENT               PORT   TARGET                           SNI/PROXY               "
    " CAPS               STATE     \n";

std::string rule(std::string_view more, std::string_view state = R"({"kind":"active"})") {
  return R"([{"id":7,"client_id":null,"client_name":"edge-01","listen_port":8080,)"
         R"("target_host":"10.0.1.5","target_port":80,"state":)" +
         std::string(state) + std::string(more) + "}]";
}

TEST(ListRules, Columns) {
  EXPECT_EQ(rules("[]"), kHeader);
  EXPECT_EQ(rules(rule("")),
            std::string(kHeader) +
                "7      edge-01              8080   10.0.1.5:80                      -            "
                "            -                  active    \n");
}

TEST(ListRules, States) {
  EXPECT_TRUE(rules(rule("", R"({"kind":"pending"})")).ends_with(" pending   \n"));
  EXPECT_TRUE(rules(rule("", R"({"kind":"removed"})")).ends_with(" removed   \n"));
  EXPECT_TRUE(rules(rule("", R"({"kind":"failed","reason":"port_in_use"})"))
                  .ends_with(" failed:port_in_use\n"));
  // A reason comes from an edge; it must not make rows of its own.
  EXPECT_TRUE(
      rules(rule("", R"({"kind":"failed","reason":"a\nb"})")).ends_with(" failed:a\\x0ab\n"));
}

TEST(ListRules, SniAndProxy) {
  const std::string sni = R"(,"sni_pattern":"*.example.com")";
  const std::string proxies =
      R"(,"targets":[{"host":"a","port":1,"proxy_protocol":"v1"},)"
      R"({"host":"b","port":2,"proxy_protocol":null},{"host":"c","port":3,"proxy_protocol":"v2"}])";
  EXPECT_NE(rules(rule(sni)).find(" *.example.com            -"), std::string::npos);
  EXPECT_NE(rules(rule(proxies)).find(" a:1=v1,c:3=v2            -"), std::string::npos);
  EXPECT_NE(rules(rule(sni + proxies)).find(" *.example.com | a:1=v1,c:3=v2 - "),
            std::string::npos);
}

TEST(ListRules, Caps) {
  EXPECT_NE(rules(rule(R"(,"rate_limit":{"bandwidth_in_bps":1023,"bandwidth_out_bps":1048575,)"
                       R"("new_connections_per_sec":5,"concurrent_connections":9}})"
                       R"(,{"id":8,"client_name":"e","listen_port":1,"target_host":"h",)"
                       R"("target_port":1,"state":{"kind":"active"},)"
                       R"("rate_limit":{"bandwidth_in_bps":1048576,"bandwidth_out_bps":1992294})"))
                .find("↓1023·↑1023K·5/s·≤9 active"),
            std::string::npos);
  EXPECT_NE(rules(rule(R"(,"rate_limit":{"bandwidth_in_bps":1048576,"bandwidth_out_bps":1992294})"))
                .find("↓1.0M·↑1.8M        active"),
            std::string::npos);
  EXPECT_NE(rules(rule(R"(,"rate_limit":{})")).find(" -                  active"),
            std::string::npos);
}

TEST(ListRules, UnusableAnswers) {
  EXPECT_EQ(rules("{}"), "fault: expected an array");
  EXPECT_EQ(rules("[7]"), "fault: expected an object");
  EXPECT_EQ(rules(R"([{"id":"7"}])"), "fault: field `id` is not an unsigned integer");
  EXPECT_EQ(rules(rule(R"(,"rate_limit":[])")), "fault: field `rate_limit` is not an object");
  EXPECT_EQ(rules(rule(R"(,"rate_limit":{"bandwidth_in_bps":-1})")),
            "fault: field `bandwidth_in_bps` is not an unsigned integer");
  EXPECT_EQ(rules(rule(R"(,"targets":[{}])")), "fault: missing field `host`");
  EXPECT_EQ(rules(rule("", "null")), "fault: missing field `state`");
}

std::string stats_of(std::string_view protocol, std::string_view more) {
  return R"({"rule_id":7,"client_name":"edge-01","protocol":")" + std::string(protocol) +
         R"(","bytes_in":1,"bytes_out":2,"active_connections":3,"dns_failures":4,)"
         R"("datagrams_in":5,"datagrams_out":6,"active_flows":7,"flows_dropped_overflow":8,)"
         R"("target_failovers_total":9,"updated_at":"2026-06-01T10:00:00.500Z")" +
         std::string(more) + "}";
}

constexpr std::string_view kTcpLine =
    "rule_id=7 client=edge-01 protocol=tcp bytes_in=1 bytes_out=2 active=3 dns_failures=4 "
    "target_failovers_total=9 updated_at=2026-06-01T10:00:00Z\n";

TEST(RuleStats, Lines) {
  EXPECT_EQ(stats(stats_of("tcp", ""), Format::text), kTcpLine);
  EXPECT_EQ(stats(stats_of("udp", ""), Format::text),
            "rule_id=7 client=edge-01 protocol=udp bytes_in=1 bytes_out=2 active_flows=7 "
            "datagrams_in=5 datagrams_out=6 flows_dropped_overflow=8 dns_failures=4 "
            "updated_at=2026-06-01T10:00:00Z\n");
}

TEST(RuleStats, PerTarget) {
  EXPECT_EQ(stats(stats_of("tcp", R"(,"per_target":[])"), Format::text, {.per_target = true}),
            std::string(kTcpLine) + "(single-target rule, no per-target state)\n");
  const auto targets =
      R"(,"per_target":[{"index":0,"host":"a.example","port":443,"priority":0,"health":0,)"
      R"("consecutive_failures":0,"bytes_in":1,"bytes_out":2,"connections_accepted":3},)"
      R"({"index":1,"host":"b","port":1,"priority":9,"health":1,"consecutive_failures":4,)"
      R"("bytes_in":5,"bytes_out":6,"connections_accepted":7}])";
  EXPECT_EQ(stats(stats_of("tcp", targets), Format::text, {.per_target = true}),
            std::string(kTcpLine) +
                "IDX HOST                     PORT   PRIO HEALTH   FAILS BYTES_IN       "
                "BYTES_OUT      CONNS \n"
                "0   a.example                443    0    Healthy  0     1              2         "
                "     3     \n"
                "1   b                        1      9    Failed   4     5              6         "
                "     7     \n");
}

TEST(RuleStats, CW_2_5_HealthOfALaterReleaseIsUnknown) {
  const auto target =
      R"(,"per_target":[{"index":0,"host":"a","port":1,"priority":0,"health":2,)"
      R"("consecutive_failures":0,"bytes_in":0,"bytes_out":0,"connections_accepted":0}])";
  EXPECT_NE(stats(stats_of("tcp", target), Format::text, {.per_target = true}).find(" Unknown "),
            std::string::npos);
}

TEST(RuleStats, PerPort) {
  const auto ports =
      R"(,"per_port":[{"listen_port":30000,"bytes_in":1,"bytes_out":2,"active_connections":3,)"
      R"("datagrams_in":4,"datagrams_out":5,"updated_at":"x"}])";
  EXPECT_EQ(stats(stats_of("tcp", ports), Format::text, {.per_port = true}),
            std::string(kTcpLine) +
                "PORT     BYTES_IN       BYTES_OUT      ACTIVE  \n"
                "30000    1              2              3       \n");
  EXPECT_TRUE(stats(stats_of("udp", ports), Format::text, {.per_port = true})
                  .ends_with("PORT     BYTES_IN       BYTES_OUT      DATAGRAMS_IN   DATAGRAMS_OUT "
                             "\n30000    1              2              4              5          "
                             "   \n"));
}

TEST(RuleStats, JsonHasTheContractsKeysAlone) {
  const auto printed = stats(stats_of("tcp", R"(,"other":1)"), Format::json);
  EXPECT_TRUE(printed.starts_with("{\n  \"rule_id\": 7,\n")) << printed;
  EXPECT_EQ(Json::parse(printed), Json::parse(stats_of("tcp", "")));
  const auto detailed = Json::parse(
      stats(stats_of("tcp", R"(,"per_port":[{"listen_port":1,"bytes_in":1,"bytes_out":2,)"
                            R"("active_connections":3,"datagrams_in":4,"datagrams_out":5,)"
                            R"("updated_at":"x"}],"per_target":[])"),
            Format::json));
  EXPECT_EQ(detailed["per_target"], Json::array());
  EXPECT_FALSE(detailed["per_port"][0].contains("updated_at"));
  EXPECT_EQ(detailed["per_port"][0]["datagrams_out"], 5);
}

TEST(RuleStats, UnusableAnswers) {
  EXPECT_EQ(stats("[]", Format::json), "fault: expected an object");
  EXPECT_EQ(stats("{}", Format::json), "fault: missing field `protocol`");
  EXPECT_EQ(stats(stats_of("tcp", R"(,"per_port":7)"), Format::text),
            "fault: field `per_port` is not an array");
}

}  // namespace
}  // namespace portunus::server::cli
