#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "tests/server/rules/rule_fixture.hpp"
#include "tests/support/counters.hpp"

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
  /// Of a live rule, or of one that is gone; zeros where there is no row.
  ByteTotals total(RuleId rule, const std::string& owner = "root",
                   const std::string& client = "edge-01") const {
    const RuleNumbers* live = service_->traffic().find(rule);
    if (live != nullptr && live->owner_id == owner && live->client_name == client) {
      return {live->counters.total().bytes_in, live->counters.total().bytes_out};
    }
    const auto it = service_->traffic().kept().find({client, owner, rule});
    return it == service_->traffic().kept().end() ? ByteTotals{} : it->second;
  }
  std::size_t rows() const {
    return service_->traffic().live().size() + service_->traffic().kept().size();
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
  EXPECT_EQ(stats->numbers->latest.rule, id);
  EXPECT_EQ(stats->numbers->latest.bytes_in, 300U);
  EXPECT_EQ(stats->numbers->latest.bytes_out, 70U);
  EXPECT_EQ(stats->numbers->latest.active_connections, 2U);
  EXPECT_EQ(stats->numbers->updated_at, clock_.now());
  EXPECT_EQ(stats->row.spec.id, id);

  EXPECT_EQ(service_->stats({"alice", false}, id).error(), Errc::not_owner);
  EXPECT_EQ(service_->stats({"alice", false}, RuleId{99}).error(), Errc::rule_not_found);
  EXPECT_TRUE(service_->stats({"root", false}, id));
}

TEST_F(RuleTrafficTest, D8_totals_grow_by_what_is_new_and_sessions_start_at_zero) {
  const RuleId id = activate().spec.id;
  report(id, 100, 10);
  report(id, 250, 10);
  EXPECT_EQ(total(id).in, 250U);
  begin_session(kEdge);
  report(id, 40, 5);  // what the last session had not delivered, or an older client's fresh count
  EXPECT_EQ(total(id).in, 290U);
  EXPECT_EQ(total(id).out, 15U);
  service_->end_session(kEdge);
  begin_session(kEdge);
  report(id, 0, 0);
  EXPECT_EQ(total(id).in, 290U);
  report(id, 7, 0);
  EXPECT_EQ(total(id).in, 297U);
}

TEST_F(RuleTrafficTest, D8_a_falling_counter_adds_nothing_and_is_the_new_baseline) {
  const RuleId id = activate().spec.id;
  report(id, 1000, 0);
  report(id, 200, 0);  // installed anew within the session
  EXPECT_EQ(total(id).in, 1000U);
  report(id, 260, 0);
  EXPECT_EQ(total(id).in, 1060U);
  EXPECT_EQ(service_->stats(root_, id)->numbers->latest.bytes_in, 260U);
}

TEST_F(RuleTrafficTest, a_total_stays_at_its_maximum) {
  const RuleId id = activate().spec.id;
  report(id, std::numeric_limits<std::uint64_t>::max(), 0);
  begin_session(kEdge);
  report(id, 5, 0);
  EXPECT_EQ(total(id).in, std::numeric_limits<std::uint64_t>::max());
}

TEST_F(RuleTrafficTest, CW_8_entries_for_another_clients_rule_are_ignored) {
  const RuleId id = activate().spec.id;
  report(id, 100, 0, 1, kOther);
  EXPECT_EQ(rows(), 0U);
  EXPECT_EQ(service_->stats(root_, id).error(), Errc::rule_not_found);
}

TEST_F(RuleTrafficTest, an_unheard_of_rule_makes_no_row) {
  report(RuleId{77}, 100, 0);
  EXPECT_EQ(rows(), 0U);
}

TEST_F(RuleTrafficTest, OBS_8_a_removed_rule_keeps_its_byte_totals_and_nothing_else) {
  const RuleId id = activate().spec.id;
  report(id, 100, 50, 3);
  ASSERT_TRUE(io_.run(service_->remove(root_, id)));
  EXPECT_EQ(service_->stats(root_, id).error(), Errc::rule_not_found);
  EXPECT_EQ(total(id).in, 100U);
  EXPECT_EQ(total(id).out, 50U);
  EXPECT_TRUE(service_->traffic().live().empty());
}

TEST_F(RuleTrafficTest, a_rule_without_traffic_leaves_nothing) {
  const RuleId id = activate().spec.id;
  report(id, 0, 0, 0);
  EXPECT_EQ(rows(), 1U);
  ASSERT_TRUE(io_.run(service_->remove(root_, id)));
  EXPECT_EQ(rows(), 0U);
}

TEST_F(RuleTrafficTest, CW_8_late_counts_of_a_removed_rule_are_booked_once_under_unknown) {
  const RuleId id = activate().spec.id;
  report(id, 100, 50);
  ASSERT_TRUE(io_.run(service_->remove(root_, id)));
  report(id, 100, 50);  // nothing new
  EXPECT_EQ(rows(), 1U);
  report(id, 130, 50);
  EXPECT_EQ(total(id).in, 100U);
  EXPECT_EQ(total(id, "_unknown").in, 30U);
  report(id, 130, 50, 0, kOther);
  begin_session(kEdge);
  report(id, 4, 0);  // the rest, delivered by the next session
  EXPECT_EQ(total(id, "_unknown").in, 34U);
}

TEST_F(RuleTrafficTest, a_rule_removed_before_its_first_report_counts_late) {
  const RuleId id = activate().spec.id;
  ASSERT_TRUE(io_.run(service_->remove(root_, id)));
  report(id, 9, 1);
  EXPECT_EQ(total(id, "_unknown").in, 9U);
  report(id, 9, 1, 0, kOther);
  EXPECT_EQ(total(id, "_unknown").in, 9U);
}

TEST(TrafficTotalsTest, CW_8_the_last_rules_that_went_of_each_client_are_remembered) {
  TrafficTotals totals;
  const auto gone = [](std::uint64_t id, std::optional<std::string> client) {
    store::RuleRow row;
    row.spec.id = RuleId{id};
    row.client_id = std::move(client);
    row.client_name = "edge-01";
    return row;
  };
  const auto late = [&](std::uint64_t id, const std::string& client = kEdge) {
    model::RuleTraffic traffic;
    traffic.rule = RuleId{id};
    traffic.bytes_in = 7;
    totals.report_late(client, traffic);
    return totals.kept().contains({"edge-01", "_unknown", RuleId{id}});
  };
  totals.remove(gone(900'000, kOther));
  // The youngest goes first: what counts is when a rule went, not how old it was.
  for (std::uint64_t id = TrafficTotals::kMostGone + 1; id > 0; --id)
    totals.remove(gone(id, kEdge));
  EXPECT_EQ(totals.gone(kEdge), TrafficTotals::kMostGone);
  EXPECT_FALSE(late(TrafficTotals::kMostGone + 1));
  EXPECT_TRUE(late(TrafficTotals::kMostGone));
  EXPECT_TRUE(late(1));
  EXPECT_TRUE(late(900'000, kOther)) << "another client's rules push none out";

  totals.remove(gone(900'001, std::nullopt));
  EXPECT_EQ(totals.gone(""), 0U) << "no edge has had it";
  totals.forget(kEdge);
  EXPECT_EQ(totals.gone(kEdge), 0U);
  EXPECT_FALSE(late(2));
  EXPECT_EQ(totals.gone(kOther), 1U);
}

TEST_F(RuleTrafficTest, a_deleted_client_leaves_no_rules_to_remember) {
  const RuleId id = activate().spec.id;
  ASSERT_TRUE(io_.run(service_->remove(root_, id)));
  EXPECT_EQ(service_->traffic().gone(kEdge), 1U);
  service_->on_client_removed(kEdge);
  EXPECT_EQ(service_->traffic().gone(kEdge), 0U);
}

TEST_F(RuleTrafficTest, a_rename_moves_the_totals_to_the_new_name) {
  const RuleId id = activate().spec.id;
  report(id, 100, 0);
  service_->on_client_changed(kEdge, "edge-09");
  EXPECT_EQ(total(id).in, 0U);
  EXPECT_EQ(total(id, "root", "edge-09").in, 100U);
  report(id, 150, 0);
  EXPECT_EQ(total(id, "root", "edge-09").in, 150U);
  EXPECT_EQ(rows(), 1U);
}

TEST_F(RuleTrafficTest, a_restart_of_the_server_starts_from_zero) {
  const RuleId id = activate().spec.id;
  report(id, 100, 0);
  restart();
  EXPECT_EQ(rows(), 0U);
  begin_session(kEdge);
  report(id, 20, 0);
  EXPECT_EQ(total(id).in, 20U);
}

TEST_F(RuleTrafficTest, D8_every_counter_has_its_own_baseline) {
  const RuleId id = activate(list_request()).spec.id;
  auto entry = test::numbered<model::RuleTraffic>();
  entry.rule = id;
  for (int session = 1; session <= 2; ++session) {
    begin_session(kEdge);
    RuleFixture::report({{entry}, {}, {}});
    RuleFixture::report({{entry}, {}, {}});
  }
  auto twice = test::numbered<model::RuleTraffic>();
  model::add_counters(twice, entry);
  EXPECT_EQ(service_->traffic().find(id)->counters.total(), twice);
}

TEST_F(RuleTrafficTest, HTTP_9_1_detail_is_the_latest_ascending_and_the_rules_own) {
  PushRequest range = request(30'000);
  range.listen_port_end = 30'009;
  range.target_port_end = 89;
  const RuleId ports = activate(range).spec.id;
  const RuleId targets = activate(list_request(1000, 2)).spec.id;
  model::RuleTraffic first;
  first.rule = ports;
  for (const std::uint16_t port :
       std::to_array<std::uint16_t>({30009, 30000, 29999, 30010, 30009})) {
    first.ports.push_back({.listen_port = port, .bytes_in = ++first.bytes_in});
  }
  model::RuleTraffic second;
  second.rule = targets;
  second.targets = {{.index = 1, .host = "lie", .port = 9, .priority = 9, .health = 1},
                    {.index = 2, .host = "t2.example"}};
  RuleFixture::report({{first, second}, {}, {}});

  const auto& seen = service_->traffic().find(ports)->latest.ports;
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].listen_port, 30'000);
  EXPECT_EQ(seen[0].bytes_in, 2U);
  EXPECT_EQ(seen[1].listen_port, 30'009);
  EXPECT_EQ(seen[1].bytes_in, 5U);
  const auto& rows = service_->traffic().find(targets)->latest.targets;
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].index, 1U);
  EXPECT_EQ(rows[0].host, "t1.example");
  EXPECT_EQ(rows[0].port, 80);
  EXPECT_EQ(rows[0].priority, 1U);
  EXPECT_EQ(rows[0].health, 1U);
}

TEST_F(RuleTrafficTest, a_rule_is_limited_from_the_first_report_with_caps_on) {
  const RuleId id = activate(list_request()).spec.id;
  report(id, 1, 1);
  EXPECT_FALSE(service_->traffic().find(id)->limited);
  PushRequest capped = list_request();
  capped.rate_limit = WantedCaps{.limit = {.concurrent_connections = 1}};
  auto updated = io_.start(service_->update(root_, id, capped));
  io_.run_until([&] { return sink_.sent.size() == 2; });
  EXPECT_FALSE(service_->traffic().find(id)->limited);
  report(id, 1, 1);
  EXPECT_TRUE(service_->traffic().find(id)->limited);
  status(sink_.sent.back().request_id, id, Outcome::activated);
  io_.run_until([&] { return updated->has_value(); });
}

TEST_F(RuleTrafficTest, STORE_6_3_a_report_tells_what_it_added_per_owner) {
  const RuleId one = activate(1000).spec.id;
  const RuleId two = activate(1001).spec.id;
  root_ = {"alice", true};
  const RuleId hers = activate(1002).spec.id;
  const auto entry = [](RuleId rule, std::uint64_t in, std::uint64_t out) {
    model::RuleTraffic traffic;
    traffic.rule = rule;
    traffic.bytes_in = in;
    traffic.bytes_out = out;
    return traffic;
  };
  const auto usage = [&](std::vector<model::RuleTraffic> rules) {
    return service_->on_report(kEdge, "edge-01", {std::move(rules), {}, {}});
  };
  using Usage = std::vector<model::OwnerUsage>;
  EXPECT_EQ(usage({entry(one, 100, 1), entry(hers, 5, 0), entry(two, 10, 2)}),
            (Usage{{"alice", 5, 0}, {"root", 110, 3}}));
  // Only what is new; nothing of rules that are not this client's or not there any more.
  EXPECT_EQ(usage({entry(one, 101, 1), entry(two, 10, 2), entry(RuleId{77}, 9, 9)}),
            (Usage{{"root", 1, 0}}));
  EXPECT_TRUE(usage({entry(one, 101, 1)}).empty());
  EXPECT_TRUE(service_->on_report(kOther, "edge-02", {{entry(one, 900, 0)}, {}, {}}).empty());
  ASSERT_TRUE(io_.run(service_->remove(root_, one)));
  EXPECT_TRUE(usage({entry(one, 900, 900)}).empty());
  begin_session(kEdge);
  EXPECT_EQ(usage({entry(two, 4, 0)}), (Usage{{"root", 4, 0}}));
}

TEST_F(RuleTrafficTest, CW_8_a_client_that_enrolls_anew_starts_from_zero) {
  const RuleId id = activate().spec.id;
  report(id, 100, 0);
  service_->on_client_removed(kEdge);
  service_->on_client_enrolled(kOther, "edge-01");
  begin_session(kOther);
  report(id, 30, 0, 0, kOther);
  EXPECT_EQ(total(id).in, 130U);
}

class SniTrafficTest : public RuleFixture {
 protected:
  void SetUp() override {
    PushRequest sni = request(443);
    sni.sni_pattern = "a.b";
    rule_ = activate(sni).spec.id;
  }
  static model::SniPortTraffic port(std::uint16_t number, std::uint64_t misses) {
    model::SniPortTraffic out;
    out.listen_port = number;
    out.misses = misses;
    out.peeks = 2 * misses;
    out.peek_buckets.fill(misses);
    return out;
  }
  const SniPortNumbers* numbers(std::uint16_t number, const std::string& client = kEdge) const {
    const auto it = service_->sni_ports().all().find({client, number});
    return it == service_->sni_ports().all().end() ? nullptr : &it->second;
  }
  std::uint64_t misses() const { return numbers(443)->counters.total().misses; }

  RuleId rule_;
};

TEST_F(SniTrafficTest, CW_8_totals_per_client_and_port_go_over_sessions) {
  report({{}, {port(443, 5)}, {}});
  report({{}, {port(443, 8)}, {}});
  EXPECT_EQ(misses(), 8U);
  EXPECT_EQ(numbers(443)->counters.total().peeks, 16U);
  EXPECT_EQ(numbers(443)->counters.total().peek_buckets.back(), 8U);
  report({{}, {port(443, 3)}, {}});  // a listener installed anew
  report({{}, {port(443, 4)}, {}});
  EXPECT_EQ(misses(), 9U);
  begin_session(kEdge);
  report({{}, {port(443, 4)}, {}});
  EXPECT_EQ(misses(), 13U);
}

TEST_F(SniTrafficTest, OBS_8_a_port_stays_until_its_client_is_deleted) {
  report({{}, {port(443, 5)}, {}});
  service_->on_client_changed(kEdge, "edge-09");
  EXPECT_EQ(numbers(443)->client_name, "edge-09");
  ASSERT_TRUE(io_.run(service_->remove(root_, rule_)));
  service_->on_report(kEdge, "edge-09", {{}, {port(443, 6)}, {}});  // draining
  EXPECT_EQ(misses(), 6U);
  service_->on_client_removed(kEdge);
  EXPECT_EQ(numbers(443), nullptr);
}

TEST_F(SniTrafficTest, OBS_8_ports_that_are_not_in_SNI_mode_make_no_row) {
  activate(80);
  report({{}, {port(80, 1), port(444, 1)}, {}});
  report({{}, {port(443, 1)}, {}}, kOther);
  EXPECT_TRUE(service_->sni_ports().all().empty());
}

TEST_F(SniTrafficTest, OBS_8_active_routes_are_counted_as_they_stand) {
  EXPECT_EQ(service_->active_sni_routes(), 1U);
  activate(8080);
  PushRequest second = request(443);
  second.sni_pattern = "*.b.c";
  activate(second);
  EXPECT_EQ(service_->active_sni_routes(), 2U);
  status("", rule_, Outcome::failed, "x");
  expect_state(rule_, store::RuleState::failed);
  EXPECT_EQ(service_->active_sni_routes(), 1U);
}

}  // namespace
}  // namespace portunus::server::rules
