#include "server/store/traffic_bucket.hpp"

#include <gtest/gtest.h>

namespace portunus::server::store {
namespace {

TEST(TrafficBucketTest, SQ_7_a_bucket_starts_where_its_length_divides_the_time) {
  for (const std::int64_t start : {-2 * kHour, -kHour, std::int64_t{0}, 472'222 * kHour}) {
    EXPECT_EQ(hour_of(start), start);
    EXPECT_EQ(hour_of(start + kHour - 1), start);
    EXPECT_EQ(minute_of(start), start);
    EXPECT_EQ(minute_of(start + kMinute - 1), start);
    EXPECT_EQ(minute_of(start - 1), start - kMinute);
    EXPECT_EQ(hour_of(start - 1), start - kHour);
  }
}

}  // namespace
}  // namespace portunus::server::store
