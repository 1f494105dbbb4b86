#include "dataplane/sni/route_table.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace portunus::dataplane::sni {
namespace {

using Patterns = std::vector<std::optional<std::string>>;

/// "<member> <kind>", or "-".
std::string route(const Patterns& patterns, std::string_view name) {
  const auto table = RouteTable::build(patterns);
  if (!table) return "no table";
  const auto match = table->find(name);
  if (!match) return "-";
  return std::to_string(match->member) + " " + std::string(kind_name(match->kind));
}

TEST(RouteTable, SNI_6_exact_then_wildcard_then_fallback) {
  const Patterns all{std::nullopt, "*.example.com", "www.example.com"};
  EXPECT_EQ(route(all, "www.example.com"), "2 exact");
  EXPECT_EQ(route(all, "api.example.com"), "1 wildcard");
  EXPECT_EQ(route(all, "www.example.org"), "0 fallback");
}

TEST(RouteTable, SNI_6_a_star_is_exactly_one_label) {
  const Patterns one{"*.example.com"};
  EXPECT_EQ(route(one, "a.example.com"), "0 wildcard");
  EXPECT_EQ(route(one, "example.com"), "-");
  EXPECT_EQ(route(one, "a.b.example.com"), "-");
  EXPECT_EQ(route(one, ".example.com"), "-");
  EXPECT_EQ(route(one, "aexample.com"), "-");
  EXPECT_EQ(route(one, "*.example.com"), "0 wildcard");
  EXPECT_EQ(route(one, "a.example.com.evil.org"), "-");
}

TEST(RouteTable, SNI_6_the_longest_suffix_wins) {
  const Patterns nested{"*.example.com", "*.b.example.com", "*.a.b.example.com"};
  EXPECT_EQ(route(nested, "x.example.com"), "0 wildcard");
  EXPECT_EQ(route(nested, "b.example.com"), "0 wildcard");
  EXPECT_EQ(route(nested, "x.b.example.com"), "1 wildcard");
  EXPECT_EQ(route(nested, "x.a.b.example.com"), "2 wildcard");
  EXPECT_EQ(route(nested, "x.y.b.example.com"), "-");
}

TEST(RouteTable, SNI_6_no_name_can_only_match_the_fallback) {
  EXPECT_EQ(route({"a.example.com", "*.example.com"}, ""), "-");
  EXPECT_EQ(route({"a.example.com", std::nullopt}, ""), "1 fallback");
}

TEST(RouteTable, SNI_6_an_empty_table_matches_nothing) {
  EXPECT_EQ(route({}, "a.example.com"), "-");
  EXPECT_EQ(route({}, ""), "-");
}

TEST(RouteTable, SNI_2_the_same_pattern_or_two_fallbacks_make_no_table) {
  EXPECT_EQ(route({"a.example.com", "a.example.com"}, ""), "no table");
  EXPECT_EQ(route({"*.example.com", "b.org", "*.example.com"}, ""), "no table");
  EXPECT_EQ(route({std::nullopt, "b.org", std::nullopt}, ""), "no table");
  // A name and a wildcard over it are two patterns.
  EXPECT_EQ(route({"b.example.com", "*.b.example.com"}, "b.example.com"), "0 exact");
}

}  // namespace
}  // namespace portunus::dataplane::sni
