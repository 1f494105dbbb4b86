#include "server/http/body_budget.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace portunus::server::http {
namespace {

TEST(BodyBudgetTest, HTTP_1_the_first_bytes_of_each_body_are_free) {
  BodyBudget budget(100, 10);
  BodyBudget::Share share(budget);
  EXPECT_TRUE(share.grow_to(10));
  EXPECT_EQ(budget.used(), 0U);
  EXPECT_TRUE(share.grow_to(11));
  EXPECT_EQ(budget.used(), 1U);
}

TEST(BodyBudgetTest, HTTP_1_the_sum_fits_to_the_byte) {
  BodyBudget budget(100, 10);
  BodyBudget::Share one(budget);
  BodyBudget::Share other(budget);
  EXPECT_TRUE(one.grow_to(70));
  EXPECT_TRUE(other.grow_to(50));
  EXPECT_EQ(budget.used(), 100U);
  EXPECT_FALSE(other.grow_to(51));
  EXPECT_EQ(budget.used(), 100U);
  EXPECT_TRUE(other.grow_to(50));
}

TEST(BodyBudgetTest, WhatIsGivenBackIsThereForOthers) {
  BodyBudget budget(100, 0);
  std::optional<BodyBudget::Share> one(std::in_place, budget);
  BodyBudget::Share other(budget);
  EXPECT_TRUE(one->grow_to(100));
  EXPECT_FALSE(other.grow_to(1));
  one->release();
  one->release();
  EXPECT_EQ(budget.used(), 0U);
  EXPECT_TRUE(other.grow_to(60));
  EXPECT_TRUE(one->grow_to(40));
  one.reset();
  EXPECT_EQ(budget.used(), 60U);
}

TEST(BodyBudgetTest, ASmallerSizeGivesNothingBack) {
  BodyBudget budget(100, 0);
  BodyBudget::Share share(budget);
  EXPECT_TRUE(share.grow_to(80));
  EXPECT_TRUE(share.grow_to(20));
  EXPECT_EQ(budget.used(), 80U);
}

}  // namespace
}  // namespace portunus::server::http
