#include "standalone/canvas.hpp"

#include <gtest/gtest.h>

namespace portunus::standalone {
namespace {

TEST(Canvas, counts_code_points_not_bytes) {
  Canvas canvas(6, 1);
  EXPECT_EQ(canvas.put(0, 0, "▶ é"), 3);
  EXPECT_EQ(canvas.row(0), "▶ é   ");
  EXPECT_EQ(columns("▶ é"), 3);
}

TEST(Canvas, what_does_not_fit_is_cut) {
  Canvas canvas(4, 2);
  EXPECT_EQ(canvas.put(2, 0, "abcdef"), 4);
  EXPECT_EQ(canvas.row(0), "  ab");
  canvas.put(-1, 1, "xyz");
  EXPECT_EQ(canvas.row(1), "yz  ");
  canvas.put(0, 5, "nowhere");
  canvas.put(0, -1, "nowhere");
  EXPECT_EQ(canvas.put(0, 1, "abcd", Style::bold, 2), 2);
  EXPECT_EQ(canvas.row(1), "ab  ");
}

TEST(Canvas, a_name_cannot_move_the_cursor) {
  Canvas canvas(8, 1);
  canvas.put(0, 0, "a\x1b[2Jb\x7f");
  EXPECT_EQ(canvas.row(0), "a?[2Jb? ");
}

TEST(Canvas, invalid_utf8_takes_no_more_than_its_place) {
  Canvas canvas(3, 1);
  canvas.put(0, 0, "\xff\xfe");
  EXPECT_EQ(canvas.put(2, 0, "x"), 3);
  EXPECT_EQ(canvas.at(2, 0).text, "x");
}

TEST(Canvas, a_box_has_its_title_in_the_frame) {
  Canvas canvas(8, 3);
  canvas.box(0, 0, 8, 3, " T ");
  EXPECT_EQ(canvas.row(0), "┌ T ───┐");
  EXPECT_EQ(canvas.row(1), "│      │");
  EXPECT_EQ(canvas.row(2), "└──────┘");
}

}  // namespace
}  // namespace portunus::standalone
