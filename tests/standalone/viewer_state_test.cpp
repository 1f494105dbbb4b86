#include "standalone/viewer_state.hpp"

#include <gtest/gtest.h>

#include "standalone/viewer_format.hpp"
#include "tests/standalone/viewed_daemon.hpp"

namespace portunus::standalone {
namespace {

class ViewerStateTest : public testing::Test {
 protected:
  ViewerStateTest() {
    state_.on_hello(viewed_hello());
    state_.on_snapshot(viewed_snapshot(1000, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}));
    state_.on_snapshot(viewed_snapshot(1500, {1024, 0, 1, 7}, {0, 4096, 3, 3}, {10, 10, 9, 9}));
  }
  std::string order() const {
    std::string out;
    for (const ViewedRule* rule : state_.visible()) out += rule->name + " ";
    return out;
  }
  void type(std::string_view text) {
    for (const char c : text) state_.on_key(Key::character, c);
  }
  ViewerState state_;
};

TEST_F(ViewerStateTest, a_rate_is_the_delta_over_the_uptime_between_two_snapshots) {
  EXPECT_DOUBLE_EQ(state_.rules()[0].in_rate, 2048);
  EXPECT_DOUBLE_EQ(state_.rules()[1].out_rate, 8192);
  EXPECT_DOUBLE_EQ(state_.total_in_rate(), 2048 + 20);
  // The daemon's clock may stand still, or its counters begin anew: no rate, no crash.
  state_.on_snapshot(viewed_snapshot(1500, {2048, 0, 1, 7}, {0, 0, 0, 0}, {0, 0, 0, 0}));
  state_.on_snapshot(viewed_snapshot(2000, {0, 0, 1, 7}, {0, 0, 0, 0}, {0, 0, 0, 0}));
  EXPECT_DOUBLE_EQ(state_.rules()[0].in_rate, 0);
}

TEST_F(ViewerStateTest, keeps_sixty_seconds_of_rates) {
  for (std::uint64_t i = 0; i < 300; ++i) {
    state_.on_snapshot(viewed_snapshot(2000 + i * 500, {i, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}));
  }
  EXPECT_EQ(state_.rules()[0].history.size(), 120U);
}

TEST_F(ViewerStateTest, sorts_by_rate_total_name_conns_and_back) {
  EXPECT_EQ(order(), "games web api ");
  type("s");
  EXPECT_EQ(order(), "games web api ");  // total
  type("s");
  EXPECT_EQ(order(), "api games web ");  // name
  type("s");
  EXPECT_EQ(order(), "api games web ");  // conns
  type("r");
  EXPECT_EQ(order(), "web games api ");
  type("rs");
  EXPECT_EQ(order(), "games web api ");
}

TEST_F(ViewerStateTest, the_selection_stays_with_its_rule) {
  EXPECT_EQ(state_.selected(), 0U);
  state_.on_key(Key::down);
  EXPECT_EQ(state_.visible()[state_.selected()]->name, "web");
  type("s");
  type("s");
  EXPECT_EQ(state_.visible()[state_.selected()]->name, "web");
  type("jjjj");
  EXPECT_EQ(state_.selected(), 2U);
  type("kkkkk");
  EXPECT_EQ(state_.selected(), 0U);
}

TEST_F(ViewerStateTest, filters_by_name_until_escape) {
  type("/a");
  EXPECT_TRUE(state_.filtering());
  EXPECT_EQ(order(), "games api ");
  type("pq");  // letters here, not keys
  EXPECT_FALSE(state_.quit() || state_.paused());
  EXPECT_EQ(order(), "");
  state_.on_key(Key::backspace);
  state_.on_key(Key::enter);
  EXPECT_FALSE(state_.filtering());
  EXPECT_EQ(order(), "api ");
  EXPECT_EQ(state_.selected(), 0U);
  state_.on_key(Key::escape);
  EXPECT_EQ(order(), "games web api ");
}

TEST_F(ViewerStateTest, tabs_go_round_and_enter_opens_detail) {
  state_.on_key(Key::left);
  EXPECT_EQ(state_.tab(), ViewTab::errors);
  state_.on_key(Key::right);
  EXPECT_EQ(state_.tab(), ViewTab::overview);
  state_.on_key(Key::enter);
  EXPECT_EQ(state_.tab(), ViewTab::detail);
  type("hl");
  EXPECT_EQ(state_.tab(), ViewTab::detail);
}

TEST_F(ViewerStateTest, pause_freezes_and_a_rate_needs_two_snapshots_again) {
  type("p");
  state_.on_snapshot(viewed_snapshot(9000, {99999, 0, 1, 7}, {0, 0, 0, 0}, {0, 0, 0, 0}));
  EXPECT_EQ(state_.rules()[0].total_in(), 1024U);
  type("p");
  state_.on_snapshot(viewed_snapshot(99000, {999999, 0, 1, 7}, {0, 0, 0, 0}, {0, 0, 0, 0}));
  EXPECT_DOUBLE_EQ(state_.rules()[0].in_rate, 2048);
  EXPECT_EQ(state_.snapshots(), 1U);
}

TEST_F(ViewerStateTest, c_counts_totals_from_now) {
  type("c");
  EXPECT_EQ(state_.rules()[0].total_in(), 0U);
  state_.on_snapshot(viewed_snapshot(2000, {1030, 0, 1, 7}, {0, 4096, 0, 0}, {10, 10, 0, 0}));
  EXPECT_EQ(state_.rules()[0].total_in(), 6U);
}

TEST_F(ViewerStateTest, escape_closes_the_help_before_it_clears_the_filter) {
  type("/web");
  state_.on_key(Key::enter);
  type("?");
  EXPECT_TRUE(state_.help());
  state_.on_key(Key::escape);
  EXPECT_FALSE(state_.help());
  EXPECT_EQ(state_.filter(), "web");
  type("q");
  EXPECT_TRUE(state_.quit());
}

TEST_F(ViewerStateTest, messages_of_the_wrong_shape_change_nothing) {
  for (const char* text : {"[]", "1", "{\"r\":1}", "{\"r\":[1,{\"id\":7,\"in\":\"x\"}]}", "{}"}) {
    state_.on_snapshot(nlohmann::json::parse(text));
  }
  EXPECT_EQ(state_.rules()[0].total_in(), 1024U);
  ViewerState other;
  other.on_hello(nlohmann::json::parse(R"({"rules":[1,{"targets":[1,{}]}]})"));
  EXPECT_EQ(other.rule_count(), 1U);
}

TEST_F(ViewerStateTest, the_upstream_is_the_target_with_the_lowest_number) {
  EXPECT_EQ(state_.rules()[2].upstream()->host, "a.example");
}

TEST(ViewerFormat, units_of_1024_with_one_decimal) {
  EXPECT_EQ(format_bytes(0), "0.0 B");
  EXPECT_EQ(format_bytes(1023), "1023.0 B");
  EXPECT_EQ(format_bytes(1024), "1.0 KB");
  EXPECT_EQ(format_bytes(1536), "1.5 KB");
  EXPECT_EQ(format_bytes(1024.0 * 1024 - 1), "1.0 MB");
  EXPECT_EQ(format_bytes(5.5 * 1024 * 1024 * 1024), "5.5 GB");
  EXPECT_EQ(format_bytes(1024.0 * 1024 * 1024 * 1024 * 1024 * 2000), "2000.0 PB");
  EXPECT_EQ(format_rate(2048), "2.0 KB/s");
}

}  // namespace
}  // namespace portunus::standalone
