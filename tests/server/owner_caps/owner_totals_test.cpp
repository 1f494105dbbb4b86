#include "server/owner_caps/owner_totals.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace portunus::server::owner_caps {
namespace {

using model::LimitTraffic;
using model::Reject;

LimitTraffic limit(std::uint64_t rejects, std::uint64_t us_in = 0, std::uint32_t active = 0) {
  LimitTraffic out;
  out.rejects[static_cast<std::size_t>(Reject::owner_concurrent)] = rejects;
  out.throttle_us_in = us_in;
  out.active = active;
  return out;
}

class OwnerTotalsTest : public testing::Test {
 protected:
  void report(const LimitTraffic& seen) { totals.report("one", "alice", &seen); }
  std::uint64_t rejects() const {
    return totals.find("one", "alice")
        ->total.rejects[static_cast<std::size_t>(Reject::owner_concurrent)];
  }
  OwnerTotals totals;
};

TEST_F(OwnerTotalsTest, CW_8_only_what_is_new_is_added) {
  EXPECT_EQ(totals.find("one", "alice"), nullptr);
  report(limit(5, 100, 3));
  report(limit(8, 150, 1));
  EXPECT_EQ(rejects(), 8U);
  EXPECT_EQ(totals.find("one", "alice")->total.throttle_us_in, 150U);
  EXPECT_EQ(totals.find("one", "alice")->total.active, 1U);
  report(limit(2));  // fell: a new baseline
  EXPECT_EQ(rejects(), 8U);
  report(limit(3));
  EXPECT_EQ(rejects(), 9U);
  EXPECT_EQ(totals.find("two", "alice"), nullptr);
  EXPECT_EQ(totals.find("one", "bob"), nullptr);
}

TEST_F(OwnerTotalsTest, D8_baselines_start_at_0_with_each_session) {
  report(limit(5));
  totals.start_session("one");
  report(limit(2));
  EXPECT_EQ(rejects(), 7U);
  totals.start_session("two");
  report(limit(3));
  EXPECT_EQ(rejects(), 8U);
}

TEST_F(OwnerTotalsTest, CW_2_5_an_owner_left_out_has_nothing_open) {
  totals.report("one", "alice", nullptr);
  ASSERT_NE(totals.find("one", "alice"), nullptr);  // caps, and a report
  EXPECT_EQ(rejects(), 0U);
  report(limit(5, 0, 4));
  totals.report("one", "alice", nullptr);
  EXPECT_EQ(rejects(), 5U);
  EXPECT_EQ(totals.find("one", "alice")->total.active, 0U);
  report(limit(6));
  EXPECT_EQ(rejects(), 6U);
}

TEST_F(OwnerTotalsTest, RL_12_caps_made_anew_within_a_session_count_nothing_twice) {
  report(limit(5));
  totals.remove("one", "alice");
  EXPECT_EQ(totals.find("one", "alice"), nullptr);
  report(limit(7));  // the edge's counters have gone on
  EXPECT_EQ(rejects(), 2U);
  totals.remove("one", "alice");
  totals.start_session("one");
  report(limit(7));  // not delivered before
  EXPECT_EQ(rejects(), 7U);
}

TEST_F(OwnerTotalsTest, RL_6_reasons_of_rules_are_not_the_owners) {
  LimitTraffic seen;
  seen.rejects.fill(9);
  report(seen);
  const auto& total = totals.find("one", "alice")->total.rejects;
  EXPECT_EQ(total, (std::array<std::uint64_t, model::kRejects>{0, 0, 0, 9, 9, 9}));
}

TEST_F(OwnerTotalsTest, totals_stay_at_their_maximum) {
  report(limit(std::numeric_limits<std::uint64_t>::max()));
  totals.start_session("one");
  report(limit(5));
  EXPECT_EQ(rejects(), std::numeric_limits<std::uint64_t>::max());
}

TEST_F(OwnerTotalsTest, a_deleted_client_leaves_nothing) {
  report(limit(5));
  totals.forget("one");
  EXPECT_EQ(totals.find("one", "alice"), nullptr);
}

}  // namespace
}  // namespace portunus::server::owner_caps
