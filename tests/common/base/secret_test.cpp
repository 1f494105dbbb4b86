#include "common/base/secret.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "common/base/scope_exit.hpp"

namespace portunus {
namespace {

TEST(Secret, never_prints_its_text) {
  std::ostringstream out;
  out << Secret("hunter2");
  EXPECT_EQ(out.str(), "***");
  EXPECT_EQ(Secret("hunter2").reveal(), "hunter2");
}

TEST(ScopeExit, runs_once_unless_released) {
  int runs = 0;
  {
    const ScopeExit guard([&] { ++runs; });
  }
  {
    ScopeExit guard([&] { ++runs; });
    guard.release();
  }
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace portunus
