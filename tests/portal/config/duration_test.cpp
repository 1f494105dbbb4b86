#include "portal/config/duration.hpp"

#include <gtest/gtest.h>

namespace portunus::portal::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(PortalDuration, S15_every_unit) {
  const struct {
    std::initializer_list<const char*> units;
    std::uint64_t seconds;
    std::uint32_t nanoseconds;
  } kRows[] = {
      {{"ns", "nsec", "nanos"}, 0, 2},
      {{"us", "usec", "\xc2\xb5s"}, 0, 2000},
      {{"ms", "msec", "millis"}, 0, 2'000'000},
      {{"s", "sec", "secs", "second", "seconds"}, 2, 0},
      {{"m", "min", "mins", "minute", "minutes"}, 120, 0},
      {{"h", "hr", "hrs", "hour", "hours"}, 7200, 0},
      {{"d", "day", "days"}, 172800, 0},
      {{"w", "wk", "wks", "week", "weeks"}, 1209600, 0},
      {{"M", "month", "months"}, 5260032, 0},
      {{"y", "yr", "yrs", "year", "years"}, 63115200, 0},
  };
  for (const auto& row : kRows) {
    for (const std::string unit : row.units) {
      const LongDuration wanted{.seconds = row.seconds, .nanoseconds = row.nanoseconds};
      EXPECT_EQ(parse_duration("2" + unit), wanted) << unit;
      EXPECT_EQ(parse_duration("2 " + unit), wanted) << unit;
    }
  }
}

TEST(PortalDuration, S15_sums_and_blanks) {
  EXPECT_EQ(parse_duration("1m30s"), (LongDuration{90, 0}));
  EXPECT_EQ(parse_duration(" 1 m  30 s "), (LongDuration{90, 0}));
  EXPECT_EQ(parse_duration("30s 1m"), (LongDuration{90, 0}));
  EXPECT_EQ(parse_duration("1s1s"), (LongDuration{2, 0}));
  EXPECT_EQ(parse_duration("999ms 999ms"), (LongDuration{1, 998'000'000}));
  EXPECT_EQ(parse_duration("1500ms"), (LongDuration{1, 500'000'000}));
  EXPECT_EQ(parse_duration("0"), LongDuration{});
  EXPECT_EQ(parse_duration("0s"), LongDuration{});
  EXPECT_EQ(parse_duration("007s"), (LongDuration{7, 0}));
}

TEST(PortalDuration, S15_what_is_none) {
  for (const char* text :
       {"",     " ",    "5",    "00",   "0 0",        " 0",   "1s 5", "5 ", "-1s",
        "+1s",  "1.5s", "1,5s", "s",    "1S",         "1H",   "1Ms",  "1x", "1s,2s",
        "1 2s", "1s-",  "one",  "1e3s", "1\xce\xbcs", "1mon", "0x1s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(PortalDuration, S15_overflow_is_invalid) {
  EXPECT_EQ(parse_duration("18446744073709551615s"), (LongDuration{18446744073709551615U, 0}));
  EXPECT_EQ(parse_duration("18446744073709551616s"), std::nullopt);
  EXPECT_EQ(parse_duration("18446744073709551615m"), std::nullopt);
  EXPECT_EQ(parse_duration("18446744073709551615s 1s"), std::nullopt);
  EXPECT_EQ(parse_duration("18446744073709551615s 999ms 1ms"), std::nullopt);
  EXPECT_EQ(parse_duration("18446744073709551615ns"), (LongDuration{18446744073, 709'551'615}));
}

TEST(PortalDuration, S15_what_a_timer_is_given_can_be_added_to_an_instant) {
  EXPECT_EQ(parse_duration("1500ms")->bounded(), milliseconds(1500));
  EXPECT_EQ(parse_duration("0")->bounded(), nanoseconds(0));
  EXPECT_EQ(parse_duration("18446744073709551615s")->bounded(),
            seconds(std::uint64_t{100} * 31557600));
}

}  // namespace
}  // namespace portunus::portal::config
