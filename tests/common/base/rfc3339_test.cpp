#include "common/base/rfc3339.hpp"

#include <gtest/gtest.h>

namespace portunus {
namespace {

SystemTime at(std::int64_t seconds, std::int64_t micros = 0) {
  return from_unix_micros(seconds * 1'000'000 + micros);
}

TEST(Rfc3339, prints_as_many_fraction_digits_as_needed) {
  EXPECT_EQ(format_rfc3339(at(1'700'000'000)), "2023-11-14T22:13:20Z");
  EXPECT_EQ(format_rfc3339(at(1'700'000'000, 500'000)), "2023-11-14T22:13:20.500Z");
  EXPECT_EQ(format_rfc3339(at(1'700'000'000, 1)), "2023-11-14T22:13:20.000001Z");
  EXPECT_EQ(format_rfc3339(at(0), "+00:00"), "1970-01-01T00:00:00+00:00");
  EXPECT_EQ(format_rfc3339_micros(at(0)), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(format_rfc3339_seconds(at(1'700'000'000, 999'999)), "2023-11-14T22:13:20Z");
}

TEST(Rfc3339, reads_what_it_prints) {
  for (const auto t :
       {at(0), at(951'782'400), at(1'709'164'800, 123'456), at(4'102'444'799, 999)}) {
    EXPECT_EQ(parse_rfc3339(format_rfc3339(t)), t);
    EXPECT_EQ(parse_rfc3339(format_rfc3339_micros(t)), t);
  }
}

TEST(Rfc3339, reads_offsets_and_drops_nanoseconds) {
  EXPECT_EQ(parse_rfc3339("2023-11-14T23:13:20+01:00"), at(1'700'000'000));
  EXPECT_EQ(parse_rfc3339("2023-11-14T16:43:20-05:30"), at(1'700'000'000));
  EXPECT_EQ(parse_rfc3339("2023-11-14T22:13:20.123456789Z"), at(1'700'000'000, 123'456));
  EXPECT_EQ(parse_rfc3339("2023-11-14t22:13:20z"), at(1'700'000'000));
}

TEST(Rfc3339, refuses_what_is_no_instant) {
  for (const char* text : {"", "2023-11-14", "2023-11-14T22:13:20", "2023-13-14T22:13:20Z",
                           "2023-02-29T00:00:00Z", "2023-11-14T24:00:00Z", "2023-11-14T22:60:00Z",
                           "2023-11-14T22:13:61Z", "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20Zx",
                           "2023-11-14T22:13:20+24:00", "+023-11-14T22:13:20Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

}  // namespace
}  // namespace portunus
