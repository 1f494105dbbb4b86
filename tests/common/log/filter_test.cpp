#include "common/log/filter.hpp"

#include <gtest/gtest.h>

namespace portunus::log {
namespace {

TEST(LogFilter, defaults_to_info) {
  EXPECT_EQ(Filter::parse("").threshold("server"), Level::info);
  EXPECT_EQ(Filter::parse("  ").threshold("dataplane.tcp"), Level::info);
}

TEST(LogFilter, takes_a_bare_level_in_any_case) {
  EXPECT_EQ(Filter::parse("DEBUG").threshold("server"), Level::debug);
  EXPECT_EQ(Filter::parse("Off").threshold("server"), Level::off);
}

TEST(LogFilter, the_longest_prefix_of_whole_segments_wins) {
  const Filter filter = Filter::parse("warn, dataplane=debug ,dataplane.tcp=error");
  EXPECT_EQ(filter.threshold("dataplane.tcp"), Level::error);
  EXPECT_EQ(filter.threshold("dataplane.udp"), Level::debug);
  EXPECT_EQ(filter.threshold("dataplane"), Level::debug);
  EXPECT_EQ(filter.threshold("dataplanes"), Level::warn);
  EXPECT_EQ(filter.threshold("server"), Level::warn);
}

TEST(LogFilter, a_malformed_directive_counts_as_info) {
  for (const char* text : {"loud", "server=loud", "=debug", "debug,", "debug,,info"}) {
    EXPECT_EQ(Filter::parse(text).threshold("server"), Level::info) << text;
  }
}

}  // namespace
}  // namespace portunus::log
