#include "common/command_line/program.hpp"

#include <gtest/gtest.h>

#include <CLI/App.hpp>
#include <sstream>

#include "common/base/version.hpp"
#include "common/command_line/options.hpp"

namespace portunus::command_line {
namespace {

/// A program with a flag of its own and a command, and what one line made of it.
struct Parsed {
  std::optional<std::string> own;
  std::optional<std::string> shared;
  bool ran_command = false;
  std::optional<int> exit;
  std::string out;
  std::string err;
};

Parsed parse(std::vector<const char*> words) {
  words.insert(words.begin(), "prog");
  Parsed parsed;
  Program program("prog", "Does things");
  add_text(program.app(), "--shared", "For both", parsed.shared);
  program.keep_from_commands("daemon",
                             {add_text(program.app(), "--own", "For the daemon", parsed.own)});
  CLI::App& command = program.add_command("show", "Shows things", "Example:\n  prog show");
  command.fallthrough();
  program.finish("show", "Example:\n  prog --own x");
  std::ostringstream out;
  std::ostringstream err;
  parsed.exit = program.parse(static_cast<int>(words.size()), words.data(), out, err);
  parsed.ran_command = command.parsed();
  parsed.out = out.str();
  parsed.err = err.str();
  return parsed;
}

void expect_refused(const std::vector<const char*>& words, std::string_view why) {
  const Parsed parsed = parse(words);
  EXPECT_EQ(parsed.exit, 2) << why;
  EXPECT_EQ(parsed.out, "");
  EXPECT_TRUE(parsed.err.contains(why)) << parsed.err;
}

TEST(CommandLineProgram, runs_with_and_without_a_command) {
  EXPECT_EQ(parse({}).exit, std::nullopt);
  EXPECT_FALSE(parse({"--own", "a"}).ran_command);
  EXPECT_EQ(parse({"--own", "a"}).own, "a");
  for (const auto& words : {std::vector{"--shared", "b", "show"}, {"show", "--shared", "b"}}) {
    EXPECT_EQ(parse(words).exit, std::nullopt);
    EXPECT_EQ(parse(words).shared, "b");
    EXPECT_TRUE(parse(words).ran_command);
  }
}

TEST(CommandLineProgram, CLI_1_an_empty_value_does_not_take_the_next_word) {
  EXPECT_EQ(parse({"--own=", "--shared=b"}).own, "");
  EXPECT_EQ(parse({"--own=", "--shared=b"}).shared, "b");
  EXPECT_TRUE(parse({"--shared=", "show"}).ran_command);
}

TEST(CommandLineProgram, CLI_1_help_is_a_command_and_a_flag) {
  const std::string help = parse({"--help"}).out;
  EXPECT_TRUE(help.contains("Does things") && help.ends_with("prog --own x\n")) << help;
  for (const auto& words :
       {std::vector{"help"}, {"-h"}, {"--shared", "x", "help"}, {"--", "help"}}) {
    EXPECT_EQ(parse(words).exit, 0);
    EXPECT_EQ(parse(words).out, help);
  }
  EXPECT_TRUE(parse({"show", "--help"}).out.contains("Shows things"));
  EXPECT_EQ(parse({"help", "show"}).out, parse({"show", "--help"}).out);
  EXPECT_TRUE(parse({"help", "help"}).out.contains("prog help show"));
}

TEST(CommandLineProgram, CLI_1_version_stands_at_top_level_only) {
  EXPECT_EQ(parse({"-V"}).out, "prog " + std::string(kVersion) + "\n");
  EXPECT_EQ(parse({"--version"}).exit, 0);
  expect_refused({"show", "--version"}, "--version goes without a command");
}

TEST(CommandLineProgram, CLI_1_usage_errors_are_2_on_stderr) {
  expect_refused({"--nope"}, "--nope");
  expect_refused({"nope"}, "nope");
  expect_refused({"help", "nope"}, "nope");
  expect_refused({"completion", "fish"}, "neither bash nor zsh");
  expect_refused({"--own", "a", "show"}, "the flags of the daemon do not go with a command");
}

TEST(CommandLineProgram, CLI_1_completion_knows_what_was_added) {
  const Parsed parsed = parse({"completion", "bash"});
  EXPECT_EQ(parsed.exit, 0);
  EXPECT_TRUE(parsed.out.contains("--own") && parsed.out.contains("show")) << parsed.out;
}

}  // namespace
}  // namespace portunus::command_line
