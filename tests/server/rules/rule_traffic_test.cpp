#include <gtest/gtest.h>

#include <limits>

#include "tests/server/rules/rule_fixture.hpp"

// From reports to totals (control-wire 8, D8; http-api 9.1; observability 8).

namespace portunus::server::rules {
namespace {

class RuleTrafficTest : public RuleFixture {
 protected:
  void report(RuleId rule, std::uint64_t in, std::uint64_t out, std::uint32_t active = 0,
              const std::string& client = kEdge) {
    model::RuleTraffic entry;
    entry.rule = rule;
    entry.bytes_in = in;
    entry.bytes_out = out;
    entry.active_connections = active;
    RuleFixture::report({{entry}, {}, {}}, client);
  }
  RuleNumbers total(RuleId rule, const std::string& owner = "root",
                    const std::string& client = "edge-01") const {
    const auto it = service_->totals().find({client, owner, rule});
    return it == service_->totals().end() ? RuleNumbers{} : it->second;
  }
};

TEST_F(RuleTrafficTest, HTTP_9_1_stats_are_the_latest_report) {
  const RuleId id = activate().spec.id;
  EXPECT_EQ(service_->stats(root_, id).error(), Errc::rule_not_found);
  report(id, 100, 50, 3);
  clock_.advance(std::chrono::seconds(5));
  report(id, 300, 70, 2);
  const auto stats = service_->stats(root_, id);
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->second.latest.rule, id);
  EXPECT_EQ(stats->second.latest.bytes_in, 300U);
  EXPECT_EQ(stats->second.latest.bytes_out, 70U);
  EXPECT_EQ(stats->second.latest.active_connections, 2U);
  EXPECT_EQ(stats->second.updated_at, clock_.now());
  EXPECT_EQ(stats->first.spec.id, id);

  EXPECT_EQ(service_->stats({"alice", false}, id).error(), Errc::not_owner);
  EXPECT_EQ(service_->stats({"alice", false}, RuleId{99}).error(), Errc::rule_not_found);
  EXPECT_TRUE(service_->stats({"root", false}, id));
}

TEST_F(RuleTrafficTest, D8_totals_grow_by_what_is_new_and_sessions_start_at_zero) {
  const RuleId id = activate().spec.id;
  report(id, 100, 10);
  report(id, 250, 10);
  EXPECT_EQ(total(id).total_bytes_in, 250U);
  begin_session(kEdge);
  report(id, 40, 5);  // what the last session had not delivered, or an older client's fresh count
  EXPECT_EQ(total(id).total_bytes_in, 290U);
  EXPECT_EQ(total(id).total_bytes_out, 15U);
  service_->end_session(kEdge);
  begin_session(kEdge);
  report(id, 0, 0);
  EXPECT_EQ(total(id).total_bytes_in, 290U);
  report(id, 7, 0);
  EXPECT_EQ(total(id).total_bytes_in, 297U);
}

TEST_F(RuleTrafficTest, D8_a_falling_counter_adds_nothing_and_is_the_new_baseline) {
  const RuleId id = activate().spec.id;
  report(id, 1000, 0);
  report(id, 200, 0);  // installed anew within the session
  EXPECT_EQ(total(id).total_bytes_in, 1000U);
  report(id, 260, 0);
  EXPECT_EQ(total(id).total_bytes_in, 1060U);
  EXPECT_EQ(service_->stats(root_, id)->second.latest.bytes_in, 260U);
}

TEST_F(RuleTrafficTest, a_total_stays_at_its_maximum) {
  const RuleId id = activate().spec.id;
  report(id, std::numeric_limits<std::uint64_t>::max(), 0);
  begin_session(kEdge);
  report(id, 5, 0);
  EXPECT_EQ(total(id).total_bytes_in, std::numeric_limits<std::uint64_t>::max());
}

TEST_F(RuleTrafficTest, CW_8_entries_for_another_clients_rule_are_ignored) {
  const RuleId id = activate().spec.id;
  report(id, 100, 0, 1, kOther);
  EXPECT_TRUE(service_->totals().empty());
  EXPECT_EQ(service_->stats(root_, id).error(), Errc::rule_not_found);
}

TEST_F(RuleTrafficTest, an_unheard_of_rule_makes_no_row) {
  report(RuleId{77}, 100, 0);
  EXPECT_TRUE(service_->totals().empty());
}

TEST_F(RuleTrafficTest, OBS_8_a_removed_rule_keeps_its_byte_totals_and_nothing_else) {
  const RuleId id = activate().spec.id;
  report(id, 100, 50, 3);
  ASSERT_TRUE(io_.run(service_->remove(root_, id)));
  EXPECT_EQ(service_->stats(root_, id).error(), Errc::rule_not_found);
  const RuleNumbers numbers = total(id);
  EXPECT_EQ(numbers.total_bytes_in, 100U);
  EXPECT_EQ(numbers.total_bytes_out, 50U);
  EXPECT_FALSE(numbers.live);
  EXPECT_EQ(numbers.latest, model::RuleTraffic{});
}

TEST_F(RuleTrafficTest, a_rule_without_traffic_leaves_nothing) {
  const RuleId id = activate().spec.id;
  report(id, 0, 0, 0);
  EXPECT_EQ(service_->totals().size(), 1U);
  ASSERT_TRUE(io_.run(service_->remove(root_, id)));
  EXPECT_TRUE(service_->totals().empty());
}

TEST_F(RuleTrafficTest, CW_8_late_counts_of_a_removed_rule_are_booked_once_under_unknown) {
  const RuleId id = activate().spec.id;
  report(id, 100, 50);
  ASSERT_TRUE(io_.run(service_->remove(root_, id)));
  report(id, 100, 50);  // nothing new
  EXPECT_EQ(service_->totals().size(), 1U);
  report(id, 130, 50);
  EXPECT_EQ(total(id).total_bytes_in, 100U);
  EXPECT_EQ(total(id, "_unknown").total_bytes_in, 30U);
  EXPECT_FALSE(total(id, "_unknown").live);
  report(id, 130, 50, 0, kOther);
  begin_session(kEdge);
  report(id, 4, 0);  // the rest, delivered by the next session
  EXPECT_EQ(total(id, "_unknown").total_bytes_in, 34U);
}

TEST_F(RuleTrafficTest, a_rule_removed_before_its_first_report_counts_late) {
  const RuleId id = activate().spec.id;
  ASSERT_TRUE(io_.run(service_->remove(root_, id)));
  report(id, 9, 1);
  EXPECT_EQ(total(id, "_unknown").total_bytes_in, 9U);
  report(id, 9, 1, 0, kOther);
  EXPECT_EQ(total(id, "_unknown").total_bytes_in, 9U);
}

TEST_F(RuleTrafficTest, a_rename_moves_the_totals_to_the_new_name) {
  const RuleId id = activate().spec.id;
  report(id, 100, 0);
  service_->on_client_changed(kEdge, "edge-09");
  EXPECT_EQ(total(id).total_bytes_in, 0U);
  EXPECT_EQ(total(id, "root", "edge-09").total_bytes_in, 100U);
  report(id, 150, 0);
  EXPECT_EQ(total(id, "root", "edge-09").total_bytes_in, 150U);
  EXPECT_EQ(service_->totals().size(), 1U);
}

TEST_F(RuleTrafficTest, a_restart_of_the_server_starts_from_zero) {
  const RuleId id = activate().spec.id;
  report(id, 100, 0);
  restart();
  EXPECT_TRUE(service_->totals().empty());
  begin_session(kEdge);
  report(id, 20, 0);
  EXPECT_EQ(total(id).total_bytes_in, 20U);
}

}  // namespace
}  // namespace portunus::server::rules
