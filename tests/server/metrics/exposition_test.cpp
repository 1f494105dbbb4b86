#include "server/metrics/exposition.hpp"

#include <gtest/gtest.h>

namespace portunus::server::metrics {
namespace {

TEST(ExpositionTest, EveryFamilyInOrderWithHelpAndType) {
  Snapshot snapshot;
  snapshot.clients = {{"edge-01", true}, {"edge-02", false}};
  snapshot.rules = {{.client = "edge-01",
                     .owner = "_legacy",
                     .rule = 7,
                     .bytes_in = 18'014'398'509'481,
                     .bytes_out = 2,
                     .live = true,
                     .active_connections = 3},
                    {.client = "edge-02", .owner = "_legacy", .rule = 8, .bytes_in = 5}};
  snapshot.auth_failures = {{"token_revoked", 2}};
  snapshot.requests = {{{"allow", "ok"}, 4}, {{"deny", "unauthenticated"}, 1}};
  snapshot.store_busy = 0;
  EXPECT_EQ(render(snapshot),
            R"(# HELP portunus_auth_failures_total Control-plane bearers refused, by reason.
# TYPE portunus_auth_failures_total counter
portunus_auth_failures_total{reason="token_revoked"} 2
# HELP portunus_clients_connected Whether an enrolled client's stream is up.
# TYPE portunus_clients_connected gauge
portunus_clients_connected{client="edge-01"} 1
portunus_clients_connected{client="edge-02"} 0
# HELP portunus_operator_requests_total Operator API requests by outcome.
# TYPE portunus_operator_requests_total counter
portunus_operator_requests_total{outcome="allow",reason="ok"} 4
portunus_operator_requests_total{outcome="deny",reason="unauthenticated"} 1
# HELP portunus_rule_active_connections Open TCP connections of a rule.
# TYPE portunus_rule_active_connections gauge
portunus_rule_active_connections{client="edge-01",owner="_legacy",rule="7"} 3
# HELP portunus_rule_bytes_in_total Payload bytes delivered to targets.
# TYPE portunus_rule_bytes_in_total counter
portunus_rule_bytes_in_total{client="edge-01",owner="_legacy",rule="7"} 18014398509481
portunus_rule_bytes_in_total{client="edge-02",owner="_legacy",rule="8"} 5
# HELP portunus_rule_bytes_out_total Payload bytes delivered to users.
# TYPE portunus_rule_bytes_out_total counter
portunus_rule_bytes_out_total{client="edge-01",owner="_legacy",rule="7"} 2
# HELP portunus_store_busy_total Times the store was busy.
# TYPE portunus_store_busy_total counter
portunus_store_busy_total 0
)");
}

TEST(ExpositionTest, NothingButWhatIsAlwaysThereOnAnEmptyServer) {
  EXPECT_EQ(render({}),
            "# HELP portunus_store_busy_total Times the store was busy.\n"
            "# TYPE portunus_store_busy_total counter\n"
            "portunus_store_busy_total 0\n");
}

TEST(ExpositionTest, ARuleWithoutTrafficHasAGaugeAndARemovedOneOnlyItsBytes) {
  Snapshot idle;
  idle.rules = {{.client = "e", .owner = "o", .rule = 1, .live = true}};
  EXPECT_NE(render(idle).find("portunus_rule_active_connections{client=\"e\""), std::string::npos);
  EXPECT_EQ(render(idle).find("bytes"), std::string::npos);

  Snapshot removed;
  removed.rules = {{.client = "e", .owner = "o", .rule = 1, .bytes_out = 9}};
  EXPECT_EQ(render(removed).find("active"), std::string::npos);
  EXPECT_NE(render(removed).find("bytes_out_total{client=\"e\",owner=\"o\",rule=\"1\"} 9"),
            std::string::npos);
}

TEST(ExpositionTest, LabelValuesAreEscaped) {
  Snapshot snapshot;
  snapshot.auth_failures = {{"a\"b\\c\nd", 1}};
  EXPECT_NE(render(snapshot).find(R"({reason="a\"b\\c\nd"} 1)"), std::string::npos);
}

}  // namespace
}  // namespace portunus::server::metrics
