#include "standalone/viewer_screen.hpp"

#include <gtest/gtest.h>

#include "tests/standalone/viewed_daemon.hpp"

namespace portunus::standalone {
namespace {

class ViewerScreenTest : public testing::Test {
 protected:
  ViewerScreenTest() {
    state_.on_hello(viewed_hello());
    state_.on_snapshot(viewed_snapshot(1000, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}));
  }
  void move() {
    state_.on_snapshot(viewed_snapshot(2000, {2048, 1024, 1, 7}, {0, 4096, 3, 3}, {10, 10, 9, 9}));
  }
  std::string screen(int width = 140, int height = 30) const {
    Canvas canvas(width, height);
    draw(state_, canvas);
    std::string out;
    for (int y = 0; y < height; ++y) out += canvas.row(y) + "\n";
    return out;
  }
  bool shows(std::string_view text, int width = 140) const {
    return screen(width).find(text) != std::string::npos;
  }
  void type(std::string_view text) {
    for (const char c : text) state_.on_key(Key::character, c);
  }
  ViewerState state_;
};

TEST_F(ViewerScreenTest, header_tabs_and_footer) {
  EXPECT_TRUE(screen().starts_with(" portunus-standalone stats — daemon v9.9.9 "));
  EXPECT_TRUE(shows("Overview Detail Errors"));
  EXPECT_TRUE(shows(" rules 3  total in 0.0 B/s  out 0.0 B/s  fd 12/1024  [q]uit [?]help "));
}

TEST_F(ViewerScreenTest, descriptors_may_be_unknown) {
  auto snapshot = viewed_snapshot(3000, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0});
  snapshot["process"]["fd_open"] = nullptr;
  state_.on_snapshot(snapshot);
  EXPECT_TRUE(shows("  fd —  [q]uit"));
}

TEST_F(ViewerScreenTest, overview_marks_the_selected_rule) {
  move();
  EXPECT_TRUE(shows("▶ games"));
  EXPECT_TRUE(shows("10.0.0.1:80"));
  EXPECT_TRUE(shows("a.example:8443"));
  EXPECT_TRUE(shows("1/7"));
  EXPECT_TRUE(shows("2.0 KB/s"));
  EXPECT_TRUE(shows("2.0 KB / 1.0 KB"));
  for (const char* title : {"name", "proto", "listen", "upstream", "rtt", "in rate", "out rate",
                            "total i/o", "conns"}) {
    EXPECT_TRUE(shows(title)) << title;
  }
}

TEST_F(ViewerScreenTest, round_trips) {
  EXPECT_TRUE(shows("…"));    // not probed yet
  EXPECT_TRUE(shows(" — "));  // udp
  state_.on_rtt("1", {Rtt::State::ok, 49});
  state_.on_rtt("3", {Rtt::State::timeout, 0});
  EXPECT_TRUE(shows("49ms"));
  EXPECT_TRUE(shows("timeout"));
  state_.on_rtt("3", {Rtt::State::down, 0});
  EXPECT_TRUE(shows("down"));
}

TEST_F(ViewerScreenTest, detail_collects_before_it_draws) {
  type("/api");
  state_.on_key(Key::enter);
  state_.on_key(Key::enter);
  EXPECT_TRUE(shows(" Detail · api (tcp 443) "));
  EXPECT_TRUE(shows("collecting…"));
  move();
  EXPECT_FALSE(shows("collecting…"));
  EXPECT_TRUE(shows("now 10.0 B/s  peak 10.0 B/s  avg 10.0 B/s"));
  for (const char* panel : {" Targets ", " Counters ", " Capabilities ", " Errors "}) {
    EXPECT_TRUE(shows(panel)) << panel;
  }
  EXPECT_TRUE(shows("● on   splice"));
  EXPECT_TRUE(shows("b.example:8443  priority 9  PROXY v2"));
  EXPECT_TRUE(shows("dns_failures            5"));
}

TEST_F(ViewerScreenTest, detail_of_a_clean_udp_rule) {
  type("/games");
  state_.on_key(Key::enter);
  state_.on_key(Key::enter);
  EXPECT_TRUE(shows("✓ none"));
  EXPECT_TRUE(shows("○ off  splice"));
  EXPECT_TRUE(shows("64 flows at most"));
}

TEST_F(ViewerScreenTest, panels_stand_one_under_the_other_on_a_narrow_screen) {
  state_.on_key(Key::enter);
  const std::string wide = screen(78, 60);
  const std::string narrow = screen(77, 60);
  const auto same_line = [](const std::string& text) {
    const auto at = text.find(" Targets ");
    return text.substr(at, text.find('\n', at) - at).find(" Counters ") != std::string::npos;
  };
  EXPECT_TRUE(same_line(wide));
  EXPECT_FALSE(same_line(narrow));
}

TEST_F(ViewerScreenTest, errors_lists_what_is_not_zero) {
  state_.on_key(Key::left);
  EXPECT_TRUE(shows("api                      dns_failures               5"));
  EXPECT_FALSE(shows("emsgsize"));
}

TEST_F(ViewerScreenTest, any_size_can_be_drawn) {
  move();
  type("?");
  for (int tab = 0; tab < 3; ++tab, state_.on_key(Key::right)) {
    for (int width = 0; width < 100; width += 7) {
      for (int height = 0; height < 30; height += 3) screen(width, height);
    }
  }
  EXPECT_TRUE(shows(" Keys "));
}

}  // namespace
}  // namespace portunus::standalone
