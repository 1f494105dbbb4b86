#include "portal/relay/buffer_pool.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace portunus::portal::relay {
namespace {

TEST(PortalBufferPool, what_is_given_back_is_what_is_taken_next) {
  BufferPool pool(1000);
  const std::byte* first = nullptr;
  {
    const BufferPool::Lease lease = pool.take();
    ASSERT_TRUE(lease.valid());
    EXPECT_EQ(lease.span().size(), 1000U);
    EXPECT_EQ(pool.spare(), 0U);
    first = lease.span().data();
  }
  EXPECT_EQ(pool.spare(), 1U);
  const BufferPool::Lease again = pool.take();
  EXPECT_EQ(again.span().data(), first);
  EXPECT_NE(pool.take().span().data(), first) << "while somebody has it";
}

TEST(PortalBufferPool, keeps_a_bounded_number) {
  BufferPool pool(16);
  {
    std::vector<std::unique_ptr<BufferPool::Lease>> taken;
    for (std::size_t i = 0; i < BufferPool::kKept + 10; ++i) {
      taken.emplace_back(new BufferPool::Lease(pool.take()));
    }
  }
  EXPECT_EQ(pool.spare(), BufferPool::kKept);
}

TEST(PortalBufferPool, Section15_a_size_that_memory_does_not_hold_is_no_buffer_and_no_crash) {
  BufferPool pool(std::size_t{1} << 62);
  EXPECT_FALSE(pool.take().valid());
  EXPECT_EQ(pool.spare(), 0U);
}

}  // namespace
}  // namespace portunus::portal::relay
