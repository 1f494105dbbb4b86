#include "client/cli/command_line.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace portunus::client::cli {
namespace {

struct Parsed {
  std::variant<RunCommand, EnrollCommand, Done> command;
  std::string out;
  std::string err;

  int exit_code() const {
    const auto* done = std::get_if<Done>(&command);
    return done == nullptr ? -1 : done->exit_code;
  }
};

Parsed parse(std::vector<const char*> words) {
  words.insert(words.begin(), "portunus-client");
  std::ostringstream out;
  std::ostringstream err;
  auto command = parse_command_line(static_cast<int>(words.size()), words.data(), out, err);
  return {std::move(command), out.str(), err.str()};
}

TEST(CommandLine, the_agent_has_its_defaults) {
  const auto parsed = parse({});
  const auto& run = std::get<RunCommand>(parsed.command);
  EXPECT_FALSE(run.bundle);
  EXPECT_EQ(run.reconnect_initial_delay_ms, 500U);
  EXPECT_EQ(run.reconnect_max_delay_secs, 30U);
  EXPECT_EQ(run.shutdown_drain_timeout_secs, 30U);
  EXPECT_EQ(run.stats_report_interval_secs, 5U);
}

TEST(CommandLine, flags_take_both_forms) {
  const auto parsed = parse({"--bundle", "b.json", "--reconnect-initial-delay-ms=0",
                             "--reconnect-max-delay-secs", "18446744073709551615",
                             "--shutdown-drain-timeout-secs=7", "--stats-report-interval-secs=1"});
  const auto& run = std::get<RunCommand>(parsed.command);
  EXPECT_EQ(run.bundle, "b.json");
  EXPECT_EQ(run.reconnect_initial_delay_ms, 0U);
  EXPECT_EQ(run.reconnect_max_delay_secs, 18446744073709551615U);
  EXPECT_EQ(run.shutdown_drain_timeout_secs, 7U);
  EXPECT_EQ(run.stats_report_interval_secs, 1U);
}

TEST(CommandLine, enroll_takes_a_uri_and_a_path) {
  const auto parsed = parse({"enroll", "portunus://x", "--out", "p"});
  const auto& enroll = std::get<EnrollCommand>(parsed.command);
  EXPECT_EQ(enroll.uri, "portunus://x");
  EXPECT_EQ(enroll.out, "p");
  const auto dashed = parse({"enroll", "--", "--odd"});
  EXPECT_EQ(std::get<EnrollCommand>(dashed.command).uri, "--odd");
}

TEST(CommandLine, CLI_1_an_empty_value_does_not_take_the_next_word) {
  for (const auto& words : {std::vector{"--bundle=", "--reconnect-initial-delay-ms", "0"},
                            {"--bundle", "", "--reconnect-initial-delay-ms", "0"}}) {
    const auto parsed = parse(words);
    const auto& run = std::get<RunCommand>(parsed.command);
    EXPECT_EQ(run.bundle, "");
    EXPECT_EQ(run.reconnect_initial_delay_ms, 0U);
  }
  for (const auto& words : {std::vector{"enroll", "--out=", "u"}, {"enroll", "u", "--out", ""}}) {
    const auto parsed = parse(words);
    const auto& enroll = std::get<EnrollCommand>(parsed.command);
    EXPECT_EQ(enroll.uri, "u");
    EXPECT_EQ(enroll.out, "");
  }
}

TEST(CommandLine, help_and_version_go_to_stdout) {
  for (const auto& words : {std::vector{"--help"}, {"-h"}, {"help"}}) {
    const auto parsed = parse(words);
    EXPECT_EQ(parsed.exit_code(), 0);
    EXPECT_TRUE(parsed.out.contains("Portunus edge client"));
    EXPECT_TRUE(parsed.out.contains("--bundle")) << parsed.out;
    EXPECT_FALSE(parsed.out.contains("SPLICE"));
    EXPECT_EQ(parsed.err, "");
  }
  for (const auto& words : {std::vector{"help", "enroll"}, {"enroll", "--help"}}) {
    EXPECT_TRUE(parse(words).out.contains("--out"));
    EXPECT_EQ(parse(words).exit_code(), 0);
  }
  for (const char* flag : {"-V", "--version"}) {
    EXPECT_EQ(parse({flag}).out, "portunus-client 1.8.0\n");
  }
}

TEST(CommandLine, usage_errors_exit_2_and_say_why) {
  const std::vector<std::vector<const char*>> bad = {
      {"--nope"},
      {"frob"},
      {"--bund", "x"},
      {"--bundle"},
      {"--bundle", "a", "--bundle", "b"},
      {"--stats-report-interval-secs", "0"},
      {"--stats-report-interval-secs", "x"},
      {"--reconnect-initial-delay-ms=-5"},
      {"--reconnect-initial-delay-ms", "1.5"},
      {"--reconnect-max-delay-secs", "18446744073709551616"},
      {"--shutdown-drain-timeout-secs", "0x10"},
      {"--shutdown-drain-timeout-secs="},
      {"enroll"},
      {"enroll", "a", "b"},
      {"enroll", "--bundle", "x", "u"},
      {"--bundle", "x", "enroll", "u"},
      {"enroll", "-V", "u"},
      {"enroll", "--out=", "--out=x"},
      {"enroll", "--out="},
      {"help", "nothing"}};
  for (const auto& words : bad) {
    std::string line;
    for (const char* word : words) line += std::string(word) + " ";
    const auto parsed = parse(words);
    EXPECT_EQ(parsed.exit_code(), 2) << line;
    EXPECT_NE(parsed.err, "") << line;
    EXPECT_EQ(parsed.out, "") << line;
  }
}

}  // namespace
}  // namespace portunus::client::cli
