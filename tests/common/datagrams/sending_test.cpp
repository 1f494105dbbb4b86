#include "common/datagrams/sending.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace portunus::datagrams {
namespace {

TEST(SegmentLimit, UDP_8_a_refusal_of_the_length_bounds_it_and_one_of_the_joining_ends_it) {
  EXPECT_EQ(learned(kAnySegment, 1400, EINVAL), 1399);
  EXPECT_EQ(learned(kAnySegment, 1400, EMSGSIZE), 1399);
  for (const int error : {EIO, EOPNOTSUPP, ENOPROTOOPT}) {
    EXPECT_EQ(learned(kAnySegment, 1400, error), 0);
  }
}

TEST(SegmentLimit, UDP_8_what_has_nothing_to_do_with_joining_teaches_nothing) {
  for (const int error : {EAGAIN, ENOBUFS, EPERM, ECONNREFUSED}) {
    EXPECT_EQ(learned(kAnySegment, 1400, error), kAnySegment);
    EXPECT_EQ(learned(1200, 1400, error), 1200);
  }
}

}  // namespace
}  // namespace portunus::datagrams
