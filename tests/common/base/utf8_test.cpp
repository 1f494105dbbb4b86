#include "common/base/utf8.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace portunus {
namespace {

using std::string_view_literals::operator""sv;

TEST(Utf8, takes_every_length_up_to_the_last_code_point) {
  for (const auto text :
       {""sv, "a\0b"sv, "\xC2\x80"sv, "\xDF\xBF"sv, "\xE0\xA0\x80"sv, "\xED\x9F\xBF"sv,
        "\xEE\x80\x80"sv, "\xEF\xBF\xBF"sv, "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv,
        "b\xC3\xBC"
        "cher"sv}) {
    EXPECT_TRUE(is_utf8(text));
  }
}

TEST(Utf8, refuses_overlong_surrogate_too_high_and_cut_sequences) {
  for (const auto text : {"\x80"sv, "\xC0\x80"sv, "\xC1\xBF"sv, "\xC2"sv, "\xC2\x41"sv,
                          "\xE0\x9F\xBF"sv, "\xED\xA0\x80"sv, "\xE2\x82"sv, "\xF0\x8F\xBF\xBF"sv,
                          "\xF4\x90\x80\x80"sv, "\xF5\x80\x80\x80"sv, "\xFF"sv, "ok\xE2\x82"sv}) {
    EXPECT_FALSE(is_utf8(text));
  }
}

}  // namespace
}  // namespace portunus
