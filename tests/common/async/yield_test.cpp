#include "common/async/yield.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/test_io.hpp"

namespace portunus::async {
namespace {

Task<bool> in_parts(std::string& out) {
  for (int part = 0; part < 3; ++part) {
    out += 'a';
    co_await yield();
  }
  co_return true;
}

TEST(Yield, what_is_ready_runs_between_the_parts) {
  test::TestIo io;
  std::string out;
  auto first = io.start(in_parts(out));
  auto second = io.start(in_parts(out));
  asio::post(io.executor(), [&] { out += 'x'; });
  io.poll();
  EXPECT_TRUE(first->has_value() && second->has_value());
  EXPECT_EQ(out, "aaxaaaa");
}

}  // namespace
}  // namespace portunus::async
