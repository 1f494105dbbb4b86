#include "common/name_lookup/name_lookup.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "common/name_lookup/errc.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/hanging_resolver.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::name_lookup {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::eventually;

class NameLookupTest : public testing::Test {
 protected:
  test::HangingResolver dead_;
};

TEST_F(NameLookupTest, finds_a_name_of_the_host) {
  test::TestIo io;
  const auto found = io.run(look_up("localhost", 7443, seconds(10)));
  ASSERT_TRUE(found);
  ASSERT_FALSE(found->empty());
  EXPECT_TRUE(found->front().address().is_loopback());
  EXPECT_EQ(found->front().port(), 7443);
}

TEST_F(NameLookupTest, an_address_is_not_looked_up) {
  test::TestIo io;
  for (const char* address : {"192.0.2.1", "2001:db8::1"}) {
    const auto found = io.run(look_up(address, 7443, seconds(10), &test::HangingResolver::resolve));
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, std::vector{net::Endpoint(*net::IpAddress::parse(address), 7443)});
  }
  EXPECT_EQ(dead_.asked(), 0);
}

TEST_F(NameLookupTest, a_lookup_that_hangs_holds_up_neither_its_caller_nor_the_end) {
  {
    test::TestIo io;
    const auto found =
        io.run(look_up("center.example", 7443, milliseconds(20), &test::HangingResolver::resolve));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, make_error_code(Errc::timed_out));
  }
  // The loop is gone, and the lookup still under way.
  EXPECT_TRUE(eventually([this] { return dead_.asked() == 1; }));
  EXPECT_EQ(dead_.answered(), 0);
}

TEST_F(NameLookupTest, lookups_that_hang_do_not_pile_up) {
  test::TestIo io;
  int given_up = 0;
  while (true) {
    const auto found =
        io.run(look_up("center.example", 7443, milliseconds(1), &test::HangingResolver::resolve));
    ASSERT_FALSE(found);
    if (found.error().code == make_error_code(Errc::failed)) break;
    EXPECT_EQ(found.error().code, make_error_code(Errc::timed_out));
    ASSERT_LE(++given_up, kMostHangingLookups);
  }
  EXPECT_GT(given_up, 0);
  EXPECT_TRUE(eventually([&] { return dead_.asked() == given_up; }));
  dead_.answer_all();
  EXPECT_TRUE(eventually([&] {
    const auto found = io.run(look_up("localhost", 7443, seconds(10)));
    return found.has_value();
  })) << "once they are answered there is room again";
}

}  // namespace
}  // namespace portunus::name_lookup
