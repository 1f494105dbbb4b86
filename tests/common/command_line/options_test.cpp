#include "common/command_line/options.hpp"

#include <gtest/gtest.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "common/command_line/words.hpp"

namespace portunus::command_line {
namespace {

TEST(CommandLineOptions, CLI_1_an_empty_text_counts_as_given) {
  std::optional<std::string> path;
  std::string word = "default";
  CLI::App app;
  add_text(app, "--path", "", path);
  add_text(app, "word", "", word);
  app.parse(for_parser({"--path=", ""}));
  EXPECT_EQ(path, "");
  EXPECT_EQ(word, "");
}

TEST(CommandLineOptions, CLI_1_what_is_not_given_is_left_alone) {
  std::optional<std::string> path;
  std::string word = "default";
  bool on = false;
  CLI::App app;
  add_text(app, "--path", "", path);
  add_text(app, "word", "", word);
  add_switch(app, "--on", "", on);
  app.parse(for_parser({"--on"}));
  EXPECT_EQ(path, std::nullopt);
  EXPECT_EQ(word, "default");
  EXPECT_TRUE(on);
}

TEST(CommandLineOptions, CLI_1_a_switch_takes_no_value) {
  for (const char* given : {"--on=false", "--on="}) {
    bool on = false;
    CLI::App app;
    add_switch(app, "--on", "", on);
    EXPECT_THROW(app.parse(for_parser({given})), CLI::ParseError) << given;
  }
}

}  // namespace
}  // namespace portunus::command_line
