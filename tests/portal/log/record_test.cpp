#include "portal/log/record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <string>

#include "common/base/version.hpp"

namespace portunus::portal::log {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

/// 2023-11-14 22:13:20.007 UTC, in whatever zone this runs.
const system_clock::time_point kWhen{milliseconds(1'700'000'000'007)};

std::string local_stamp() {
  const std::time_t seconds = 1'700'000'000;
  std::tm local{};
  localtime_r(&seconds, &local);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local)};
}

TEST(PortalRecord, S3_without_colour) {
  EXPECT_EQ(format_record(kWhen, Level::info, "hello", false),
            local_stamp() + ".007  INFO  hello\n");
}

TEST(PortalRecord, S3_colours_of_the_levels) {
  const auto record = [](Level level) { return format_record(kWhen, level, "m", true); };
  const std::string stamp = local_stamp() + ".007  ";
  EXPECT_EQ(record(Level::debug), stamp + "\x1b[34mDEBUG\x1b[0m  m\n");
  EXPECT_EQ(record(Level::info), stamp + "\x1b[32mINFO\x1b[0m  m\n");
  EXPECT_EQ(record(Level::warn), stamp + "\x1b[33mWARN\x1b[0m  m\n");
  EXPECT_EQ(record(Level::error), stamp + "\x1b[31mERROR\x1b[0m  m\n");
  EXPECT_EQ(record(Level::event), stamp + "\x1b[36mEVENT\x1b[0m  m\n");
}

TEST(PortalRecord, S3_bytes_of_others_stay_within_their_record) {
  EXPECT_EQ(escaped("a\nb\x1b[0m\x7f\xc3\xa9%0A"), "a%0Ab%1B[0m%7F\xc3\xa9%0A");
  EXPECT_THAT(format_record(kWhen, Level::error, "a\nb", false), ::testing::EndsWith("  a%0Ab\n"));
}

TEST(PortalRecord, S3_line_of_a_failed_start) {
  const std::string line = format_start_failure("invalid tls: 7\nx");
  EXPECT_EQ(line, "portunus-portal-" + std::string(kVersion) + " " + std::string(platform()) +
                      " pid=" + std::to_string(getpid()) + " error=invalid tls: 7%0Ax\n");
  EXPECT_THAT(std::string(platform()), ::testing::MatchesRegex("linux/[a-z0-9_]+"));
}

TEST(PortalLevel, S2_1_names_and_what_is_none_of_them) {
  EXPECT_EQ(parse_level("none"), Level::none);
  EXPECT_EQ(parse_level("debug"), Level::debug);
  EXPECT_EQ(parse_level("info"), Level::info);
  EXPECT_EQ(parse_level("warn"), Level::warn);
  EXPECT_EQ(parse_level("error"), Level::error);
  EXPECT_EQ(parse_level("event"), Level::event);
  for (const char* other : {"", "DEBUG", "trace", " warn", "warning"}) {
    EXPECT_EQ(parse_level(other), Level::info) << other;
  }
}

}  // namespace
}  // namespace portunus::portal::log
