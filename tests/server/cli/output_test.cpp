#include "server/cli/output.hpp"

#include <gtest/gtest.h>

#include <array>
#include <sstream>

namespace portunus::server::cli {
namespace {

constexpr auto kWidths = std::to_array<std::size_t>({3, 4});

std::string row(std::initializer_list<std::string_view> cells) {
  std::ostringstream out;
  print_row(out, kWidths, cells);
  return out.str();
}

TEST(Output, PadsByScalarsAndNeverCuts) {
  EXPECT_EQ(row({"a", "b"}), "a   b   \n");
  EXPECT_EQ(row({"↓é", "toolong"}), "↓é  toolong\n");
  EXPECT_EQ(row({"a", "b", "tail"}), "a   b    tail\n");
}

TEST(Output, PeersCannotForgeLines) {
  EXPECT_EQ(printable("a\nb\x1b[31m\x7f\xC2\x85é↓"), "a\\x0ab\\x1b[31m\\x7f\\x85é↓");
  EXPECT_EQ(row({"\r", "x"}), "\\x0d x   \n");
  std::ostringstream err;
  print_error(err, "one\nerror: two");
  EXPECT_EQ(err.str(), "error: one\\x0aerror: two\n");
}

}  // namespace
}  // namespace portunus::server::cli
