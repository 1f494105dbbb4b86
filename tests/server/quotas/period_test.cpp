#include "server/quotas/period.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/rfc3339.hpp"

namespace portunus::server::quotas {
namespace {

std::int64_t at(const std::string& text) {
  const auto instant = parse_rfc3339(text.size() == 10 ? text + "T00:00:00Z" : text);
  EXPECT_TRUE(instant) << text;
  return to_unix_seconds(*instant);
}

std::string shown(std::int64_t instant) {
  return format_rfc3339_seconds(SystemTime(std::chrono::seconds(instant)));
}

TEST(Period, SQ_6_2_the_last_day_of_a_month_is_clamped_and_never_drifts) {
  const std::int64_t anchor = at("2026-01-31");
  const std::array starts = {"2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31",
                             "2026-06-30", "2026-07-31", "2026-08-31", "2026-09-30",
                             "2026-10-31", "2026-11-30", "2026-12-31", "2027-01-31"};
  for (std::size_t n = 0; n < starts.size(); ++n) {
    EXPECT_EQ(shown(period_start(anchor, static_cast<std::int64_t>(n) + 1)),
              std::string(starts[n]) + "T00:00:00Z");
  }
}

TEST(Period, SQ_6_2_a_leap_day_returns_with_the_leap_year) {
  const std::int64_t anchor = at("2024-02-29");
  EXPECT_EQ(period_start(anchor, 12), at("2025-02-28"));
  EXPECT_EQ(period_start(anchor, 24), at("2026-02-28"));
  EXPECT_EQ(period_start(anchor, 48), at("2028-02-29"));
}

TEST(Period, SQ_6_2_skipped_periods_are_one_step) {
  const std::int64_t anchor = at("2026-01-15");
  EXPECT_EQ(period_containing(anchor, anchor, at("2026-05-20")), at("2026-05-15"));
}

TEST(Period, SQ_6_2_a_start_equal_to_now_has_begun) {
  const std::int64_t anchor = at("2026-01-15");
  const std::int64_t next = at("2026-02-15");
  EXPECT_EQ(period_containing(anchor, anchor, next - 1), anchor);
  EXPECT_EQ(period_containing(anchor, anchor, next), next);
  EXPECT_EQ(period_end(anchor, anchor), next);
}

TEST(Period, SQ_6_2_starts_never_move_back) {
  const std::int64_t anchor = at("2026-01-15");
  const std::int64_t start = at("2026-05-15");
  for (const char* now : {"2026-05-14", "2026-02-01", "2025-01-01", "1969-12-31"}) {
    EXPECT_EQ(period_containing(anchor, start, at(now)), start) << now;
  }
}

TEST(Period, SQ_6_2_a_start_moved_by_hand_goes_on_from_the_last_one_before_it) {
  const std::int64_t anchor = at("2026-01-15");
  const std::int64_t moved = at("2026-03-20T07:08:09Z");  // period 2 began on 03-15
  EXPECT_EQ(period_end(anchor, moved), at("2026-04-15"));
  EXPECT_EQ(period_containing(anchor, moved, at("2026-04-14T23:59:59Z")), moved);
  EXPECT_EQ(period_containing(anchor, moved, at("2026-04-15")), at("2026-04-15"));
  // Before the anchor, where no period is: the first one is the next.
  EXPECT_EQ(period_end(anchor, at("2025-12-01")), anchor);
  EXPECT_EQ(period_containing(anchor, at("2025-12-01"), anchor), anchor);
}

TEST(Period, SQ_6_2_beyond_twelve_thousand_periods_there_is_no_end) {
  const std::int64_t anchor = at("2026-01-31T12:00:00Z");
  const std::int64_t last = period_start(anchor, kLastPeriod);
  EXPECT_EQ(shown(last), "3026-01-31T12:00:00Z");
  EXPECT_EQ(period_end(anchor, last - 1), last);
  EXPECT_EQ(period_end(anchor, last), kNoPeriodEnd);
  EXPECT_EQ(period_end(anchor, std::numeric_limits<std::int64_t>::max()), kNoPeriodEnd);
  EXPECT_EQ(period_containing(anchor, anchor, std::numeric_limits<std::int64_t>::max()), last);
  EXPECT_EQ(period_containing(anchor, anchor, std::numeric_limits<std::int64_t>::min()), anchor);
  EXPECT_EQ(period_end(anchor, std::numeric_limits<std::int64_t>::min()), anchor);
}

TEST(Period, SQ_6_2_a_future_anchor_waits) {
  const std::int64_t anchor = at("2026-06-01");
  EXPECT_EQ(period_containing(anchor, anchor, at("2026-01-01")), anchor);
  EXPECT_EQ(period_end(anchor, anchor), at("2026-07-01"));
}

TEST(Period, SQ_6_2_keeps_hour_minute_and_second) {
  const std::int64_t anchor = at("2026-01-31T23:59:58Z");
  EXPECT_EQ(period_start(anchor, 1), at("2026-02-28T23:59:58Z"));
  EXPECT_EQ(period_containing(anchor, anchor, at("2026-02-28T23:59:57Z")), anchor);
  EXPECT_EQ(period_containing(anchor, anchor, at("2026-02-28T23:59:58Z")),
            at("2026-02-28T23:59:58Z"));
}

TEST(Period, an_anchor_is_an_instant_that_rfc_3339_can_write) {
  EXPECT_TRUE(is_billing_anchor(0));
  EXPECT_TRUE(is_billing_anchor(-1));
  EXPECT_TRUE(is_billing_anchor(-62'167'219'200));
  EXPECT_FALSE(is_billing_anchor(-62'167'219'201));
  EXPECT_TRUE(is_billing_anchor(253'402'300'799));
  EXPECT_FALSE(is_billing_anchor(253'402'300'800));
  EXPECT_FALSE(is_billing_anchor(std::numeric_limits<std::int64_t>::max()));
  EXPECT_FALSE(is_billing_anchor(std::numeric_limits<std::int64_t>::min()));
  // The extremes have periods too.
  EXPECT_GT(period_start(253'402'300'799, kLastPeriod), 253'402'300'799);
  EXPECT_EQ(period_end(-62'167'219'200, -62'167'219'200), -62'167'219'200 + 31 * 86'400);
}

TEST(Period, a_stored_anchor_that_is_none_has_no_periods) {
  const std::int64_t bad = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(period_end(bad, 5), kNoPeriodEnd);
  EXPECT_EQ(period_containing(bad, 5, 1'700'000'000), 5);
}

// A calendar of its own, which counts days one by one from 1 January 1970.

bool leap(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}
int days_in(int year, int month) {
  constexpr std::array kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && leap(year) ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}
std::int64_t seconds_at(int year, int month, int day, std::int64_t time_of_day) {
  std::int64_t days = 0;
  for (int y = 1970; y < year; ++y) days += leap(y) ? 366 : 365;
  for (int m = 1; m < month; ++m) days += days_in(year, m);
  return (days + day - 1) * 86'400 + time_of_day;
}
/// Every period start of 48 months, from the anchor's parts.
std::vector<std::int64_t> counted(int year, int month, int day, std::int64_t time_of_day) {
  std::vector<std::int64_t> out;
  for (int n = 0; n <= 48; ++n) {
    out.push_back(seconds_at(year, month, std::min(day, days_in(year, month)), time_of_day));
    if (++month > 12) {
      month = 1;
      ++year;
    }
  }
  return out;
}

TEST(Period, SQ_8_3_every_anchor_day_over_48_months_against_an_independent_calendar) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<std::int64_t> time_of_day(0, 86'399);
  for (const int year : {1971, 1999, 2000, 2023, 2024, 2026, 2096, 2099}) {
    for (int month = 1; month <= 12; ++month) {
      for (int day = 1; day <= days_in(year, month); ++day) {
        const auto starts = counted(year, month, day, time_of_day(random));
        const std::int64_t anchor = starts.front();
        for (std::size_t n = 0; n + 1 < starts.size(); ++n) {
          ASSERT_EQ(period_start(anchor, static_cast<std::int64_t>(n)), starts[n]) << shown(anchor);
          ASSERT_EQ(period_end(anchor, starts[n]), starts[n + 1]) << shown(anchor) << ' ' << n;
          // Any instant of the period belongs to it, whatever was the last one known.
          std::uniform_int_distribution<std::int64_t> inside(starts[n], starts[n + 1] - 1);
          std::uniform_int_distribution<std::size_t> earlier(0, n);
          const std::int64_t known = starts[earlier(random)];
          for (const std::int64_t now : {starts[n], starts[n + 1] - 1, inside(random)}) {
            ASSERT_EQ(period_containing(anchor, known, now), starts[n])
                << shown(anchor) << ' ' << shown(now);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace portunus::server::quotas
