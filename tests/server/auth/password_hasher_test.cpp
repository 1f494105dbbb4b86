#include "server/auth/password_hasher.hpp"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <vector>

#include "server/auth/errc.hpp"
#include "server/auth/password.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::server::auth {
namespace {

using namespace std::chrono_literals;

TEST(PasswordHasher, hashes_and_checks_off_the_event_loop) {
  test::TestIo io;
  PasswordHasher hasher;
  const Secret password("correct horse battery");
  const auto hash = io.run(hasher.hash(password));
  ASSERT_TRUE(hash) << hash.error().text();
  EXPECT_TRUE(verify_password(*hash, password).value());
  EXPECT_TRUE(io.run(hasher.verify(*hash, password)).value());
  EXPECT_FALSE(io.run(hasher.verify(*hash, Secret("another password"))).value());
}

TEST(PasswordHasher, without_a_hash_nothing_fits) {
  test::TestIo io;
  PasswordHasher hasher;
  EXPECT_FALSE(io.run(hasher.verify(std::nullopt, Secret("correct horse battery"))).value());
}

TEST(PasswordHasher, a_full_queue_is_refused_at_once) {
  test::TestIo io;
  PasswordHasher hasher({.threads = 1, .max_jobs = 3});
  std::vector<std::shared_ptr<std::optional<Result<bool>>>> jobs;
  for (int i = 0; i < 5; ++i) {
    jobs.push_back(io.start(hasher.verify(std::nullopt, Secret("correct horse battery"))));
  }
  // The loop has run each job to its start; none of their results has been fetched.
  io.run_until([&] { return jobs[3]->has_value() && jobs[4]->has_value(); });
  for (const std::size_t i : {3U, 4U}) {
    ASSERT_FALSE((**jobs[i]).has_value());
    EXPECT_EQ((**jobs[i]).error(), Errc::password_queue_full);
    EXPECT_EQ((**jobs[i]).error().detail, "1");
  }
  io.run_until([&] { return *jobs[0] && *jobs[1] && *jobs[2]; });
  for (const std::size_t i : {0U, 1U, 2U}) EXPECT_FALSE((**jobs[i]).value());
  // There is room again.
  EXPECT_TRUE(io.run(hasher.verify(std::nullopt, Secret("correct horse battery"))));
}

TEST(PasswordHasher, the_loop_goes_on_while_passwords_are_checked) {
  test::TestIo io;
  PasswordHasher hasher;
  auto pending = io.start(hasher.verify(std::nullopt, Secret("correct horse battery")));
  io.poll();
  ASSERT_FALSE(pending->has_value()) << "it would have been computed on the loop's thread";
  bool ran = false;
  boost::asio::post(io.context(), [&] { ran = true; });
  io.poll();
  EXPECT_TRUE(ran);
  io.run_until([&] { return pending->has_value(); });
  EXPECT_FALSE((**pending).value());
}

}  // namespace
}  // namespace portunus::server::auth
