#include "server/http/api/list_text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/test_io.hpp"

namespace portunus::server::http::api {
namespace {

std::string number(const int& value) {
  return std::to_string(value);
}

std::string expected(int count) {
  std::string text = "[";
  for (int i = 0; i < count; ++i) text += (i > 0 ? "," : "") + std::to_string(i);
  return text + "]";
}

std::vector<int> upto(int count) {
  std::vector<int> out;
  for (int i = 0; i < count; ++i) out.push_back(i);
  return out;
}

TEST(ListTextTest, HTTP_1_a_list_is_a_bare_array) {
  test::TestIo io;
  for (const int count : {0, 1, 63, 64, 65, 1000}) {
    EXPECT_EQ(io.run(list_text(upto(count), number)), expected(count));
  }
}

TEST(ListTextTest, others_run_between_the_parts_of_a_long_list) {
  test::TestIo io;
  const int parts = 5;
  const auto text = io.start(list_text(upto(parts * static_cast<int>(kObjectsPerPart)), number));
  int turns = 0;
  while (!text->has_value()) {
    // What is ready already runs before the list goes on.
    bool ran = false;
    boost::asio::post(io.context(), [&] { ran = true; });
    io.context().restart();
    ASSERT_EQ(io.context().run_one(), 1U);
    if (!text->has_value()) {
      ASSERT_EQ(io.context().run_one(), 1U);
      ++turns;
      EXPECT_TRUE(ran);
    }
  }
  EXPECT_EQ(turns, parts - 1);
}

}  // namespace
}  // namespace portunus::server::http::api
