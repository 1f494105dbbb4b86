#include "common/base/descriptor_limit.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace portunus {
namespace {

TEST(DescriptorLimit, the_soft_limit_becomes_the_hard_one_and_both_are_told) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_GT(before.rlim_max, 64U);
  const rlimit low{.rlim_cur = 64, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const auto limit = raise_descriptor_limit();
  ASSERT_TRUE(limit);
  EXPECT_EQ(limit->soft, before.rlim_max);
  EXPECT_EQ(limit->hard, before.rlim_max);
  rlimit now{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &now), 0);
  EXPECT_EQ(now.rlim_cur, before.rlim_max);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace portunus
