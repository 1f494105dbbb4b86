#include "common/command_line/words.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace portunus::command_line {
namespace {

using Words = std::vector<std::string>;

/// In the order of the line.
Words taken(Words words) {
  Words out = for_parser(std::move(words));
  std::ranges::reverse(out);
  return out;
}

TEST(CommandLineWords, CLI_1_a_flag_and_its_value_are_two_words) {
  EXPECT_EQ(taken({"--out=p", "x"}), (Words{"--out", "p", "x"}));
  EXPECT_EQ(taken({"--out=", "x"}), (Words{"--out", "", "x"}));
  EXPECT_EQ(taken({"--out=a=b"}), (Words{"--out", "a=b"}));
  EXPECT_EQ(taken({}), Words{});
}

TEST(CommandLineWords, CLI_1_what_is_no_such_flag_stays) {
  EXPECT_EQ(taken({"a=b", "-c=d", "", "="}), (Words{"a=b", "-c=d", "", "="}));
  EXPECT_EQ(taken({"--a=1", "--", "--b=2"}), (Words{"--a", "1", "--", "--b=2"}));
}

}  // namespace
}  // namespace portunus::command_line
