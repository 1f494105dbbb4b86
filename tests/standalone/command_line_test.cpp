#include "standalone/command_line.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <vector>

namespace portunus::standalone {
namespace {

struct Parsed {
  std::variant<DaemonCommand, StatsCommand, Done> command;
  std::string out;
  std::string err;
};

Parsed parse(std::vector<const char*> words) {
  words.insert(words.begin(), "portunus-standalone");
  std::ostringstream out, err;
  auto command = parse_command_line(static_cast<int>(words.size()), words.data(), out, err);
  return {std::move(command), out.str(), err.str()};
}

int exit_of(const Parsed& parsed) {
  const auto* done = std::get_if<Done>(&parsed.command);
  return done == nullptr ? -1 : done->exit_code;
}

TEST(StandaloneCommandLine, the_daemon_is_the_default) {
  const auto parsed = parse({});
  const auto* daemon = std::get_if<DaemonCommand>(&parsed.command);
  ASSERT_NE(daemon, nullptr);
  EXPECT_FALSE(daemon->config || daemon->check || daemon->no_stats || daemon->stats_socket);
}

TEST(StandaloneCommandLine, its_flags_in_both_spellings) {
  const auto parsed = parse({"-c", "x.toml", "--check", "--log-level=debug", "--log-format",
                             "pretty", "--no-stats", "--stats-socket=/tmp/s"});
  const auto* daemon = std::get_if<DaemonCommand>(&parsed.command);
  ASSERT_NE(daemon, nullptr) << parsed.err;
  EXPECT_EQ(daemon->config, "x.toml");
  EXPECT_TRUE(daemon->check);
  EXPECT_EQ(daemon->log_level, "debug");
  EXPECT_EQ(daemon->log_format, "pretty");
  EXPECT_TRUE(daemon->no_stats);
  EXPECT_EQ(daemon->stats_socket, "/tmp/s");
}

TEST(StandaloneCommandLine, CLI_1_an_empty_value_does_not_take_the_next_word) {
  for (const std::vector<const char*>& words :
       {std::vector<const char*>{"--config=", "--check", "--stats-socket=", "--no-stats"},
        std::vector<const char*>{"-c", "", "--check", "--stats-socket", "", "--no-stats"}}) {
    const auto parsed = parse(words);
    const auto* daemon = std::get_if<DaemonCommand>(&parsed.command);
    ASSERT_NE(daemon, nullptr) << parsed.err;
    EXPECT_EQ(daemon->config, "");
    EXPECT_EQ(daemon->stats_socket, "");
    EXPECT_TRUE(daemon->check && daemon->no_stats);
  }
  const auto parsed = parse({"stats", "--socket=", "--once"});
  const auto* stats = std::get_if<StatsCommand>(&parsed.command);
  ASSERT_NE(stats, nullptr) << parsed.err;
  EXPECT_EQ(stats->socket, "");
  EXPECT_TRUE(stats->once);
}

TEST(StandaloneCommandLine, stats_takes_the_global_flags_on_either_side) {
  for (const std::vector<const char*>& words :
       {std::vector<const char*>{"--config", "x", "stats", "--once", "--socket", "/tmp/s"},
        std::vector<const char*>{"stats", "--once", "--socket", "/tmp/s", "--config", "x"}}) {
    const auto parsed = parse(words);
    const auto* stats = std::get_if<StatsCommand>(&parsed.command);
    ASSERT_NE(stats, nullptr) << parsed.err;
    EXPECT_TRUE(stats->once);
    EXPECT_EQ(stats->socket, "/tmp/s");
  }
}

TEST(StandaloneCommandLine, wrong_usage_is_2_on_stderr) {
  for (const std::vector<const char*>& words :
       {std::vector<const char*>{"--nope"}, std::vector<const char*>{"frobnicate"},
        std::vector<const char*>{"--check", "stats"}, std::vector<const char*>{"--config"},
        std::vector<const char*>{"--che"}, std::vector<const char*>{"--socket", "/tmp/s"},
        std::vector<const char*>{"stats", "-V"}, std::vector<const char*>{"stats", "--version"},
        std::vector<const char*>{"--check="}, std::vector<const char*>{"--check=false"},
        std::vector<const char*>{"--no-stats=false"},
        std::vector<const char*>{"stats", "--once=false"}}) {
    const auto parsed = parse(words);
    EXPECT_EQ(exit_of(parsed), 2);
    EXPECT_FALSE(parsed.err.empty());
    EXPECT_EQ(parsed.out, "");
  }
}

TEST(StandaloneCommandLine, help_and_version_are_results) {
  const auto help = parse({"--help"});
  EXPECT_EQ(exit_of(help), 0);
  EXPECT_NE(help.out.find("Standalone TCP/UDP forwarder"), std::string::npos);
  EXPECT_EQ(parse({"help"}).out, help.out);
  for (const std::vector<const char*>& words : {std::vector<const char*>{"--config", "x", "help"},
                                                std::vector<const char*>{"--", "help"}}) {
    EXPECT_EQ(exit_of(parse(words)), 0);
    EXPECT_EQ(parse(words).out, help.out);
  }
  EXPECT_EQ(parse({"help", "stats"}).out, parse({"stats", "--help"}).out);
  EXPECT_EQ(help.out.find("SPLICE"), std::string::npos);
  EXPECT_TRUE(parse({"-V"}).out.starts_with("portunus-standalone "));
}

}  // namespace
}  // namespace portunus::standalone
