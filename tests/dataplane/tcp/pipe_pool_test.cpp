#include "dataplane/tcp/pipe_pool.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <limits>
#include <vector>

namespace portunus::dataplane::tcp {
namespace {

constexpr std::size_t kPlenty = std::numeric_limits<std::size_t>::max();

TEST(PipePool, SPL_1_a_pipe_is_non_blocking_closed_on_exec_and_a_mebibyte) {
  PipeBudget budget(kPlenty);
  PipePool pool(budget);
  const auto taken = pool.take();
  ASSERT_TRUE(taken.pipe);
  EXPECT_EQ(taken.resize_errno, 0);
  EXPECT_EQ(taken.pipe->capacity, PipePool::kWanted);
  for (const int fd : {taken.pipe->read_end.get(), taken.pipe->write_end.get()}) {
    EXPECT_TRUE(::fcntl(fd, F_GETFL) & O_NONBLOCK);
    EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC);
  }
}

TEST(PipePool, keeps_sixteen_idle_pipes_and_gives_the_same_ones_again) {
  PipeBudget budget(kPlenty);
  PipePool pool(budget);
  std::vector<std::unique_ptr<Pipe>> pipes;
  for (int i = 0; i < 20; ++i) pipes.push_back(pool.take().pipe);
  const int last = pipes[15]->read_end.get();
  for (auto& pipe : pipes) pool.put(std::move(pipe));
  EXPECT_EQ(pool.idle(), PipePool::kIdleMax);
  EXPECT_EQ(pool.take().pipe->read_end.get(), last);
}

TEST(PipePool, SPL_5_a_discarded_pipe_is_closed_and_not_pooled) {
  PipeBudget budget(kPlenty);
  PipePool pool(budget);
  auto pipe = pool.take().pipe;
  const int fd = pipe->read_end.get();
  EXPECT_EQ(::write(pipe->write_end.get(), "secret", 6), 6);
  pool.discard(std::move(pipe));
  EXPECT_EQ(pool.idle(), 0U);
  EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
}

TEST(PipePool, SPL_7_beyond_the_budget_pipes_stay_as_they_are_made) {
  PipeBudget budget(2 * PipePool::kWanted + PipePool::kUsable);
  PipePool pool(budget);
  auto a = pool.take().pipe;
  auto b = pool.take().pipe;
  const auto third = pool.take();
  EXPECT_EQ(a->capacity, PipePool::kWanted);
  EXPECT_EQ(b->capacity, PipePool::kWanted);
  ASSERT_TRUE(third.pipe);
  EXPECT_EQ(third.pipe->capacity, PipePool::kUsable);
  EXPECT_EQ(third.resize_errno, 0) << "sparing is no failure";
  EXPECT_EQ(budget.used(), 2 * PipePool::kWanted + PipePool::kUsable);
  pool.discard(std::move(a));
  EXPECT_EQ(pool.take().pipe->capacity, PipePool::kWanted);
}

TEST(PipePool, the_budget_is_what_open_pipes_hold) {
  PipeBudget budget(kPlenty);
  {
    PipePool pool(budget);
    auto a = pool.take().pipe;
    pool.put(pool.take().pipe);
    EXPECT_EQ(budget.used(), 2 * PipePool::kWanted);
    pool.put(std::move(a));
  }
  EXPECT_EQ(budget.used(), 0U);
}

TEST(PipeBudget, SPL_7_is_half_of_the_hosts_soft_limit) {
  auto budget = PipeBudget::from_host();
  EXPECT_TRUE(budget.reserve(PipePool::kWanted));
  EXPECT_EQ(budget.used(), PipePool::kWanted);
}

TEST(PipeBudget, refuses_what_exceeds_it_and_stays_exact) {
  PipeBudget budget(100);
  EXPECT_TRUE(budget.reserve(60));
  EXPECT_FALSE(budget.reserve(41));
  EXPECT_FALSE(budget.reserve(kPlenty));
  EXPECT_TRUE(budget.reserve(40));
  EXPECT_EQ(budget.used(), 100U);
}

}  // namespace
}  // namespace portunus::dataplane::tcp
