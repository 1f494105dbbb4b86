#include "server/web_auth/throttle.hpp"

#include <vector>

#include "tests/server/web_auth/web_auth_fixture.hpp"

namespace portunus::server::web_auth {
namespace {

class ThrottleTest : public WebAuthFixture {
 protected:
  using Entered = std::shared_ptr<Result<Throttle::Turn>>;
  using Pending = std::shared_ptr<std::optional<Entered>>;
  const store::AttemptKey key_{store::AttemptKey::Action::login, "alice", kHere};

  static async::Task<Entered> entering(Throttle& throttle, store::AttemptKey key) {
    auto turn = co_await throttle.enter(std::move(key));
    co_return std::make_shared<Result<Throttle::Turn>>(std::move(turn));
  }
  Pending start(Throttle& throttle) { return io_.start(entering(throttle, key_)); }
  Result<Throttle::Turn> enter(Throttle& throttle) { return enter(throttle, key_); }
  Result<Throttle::Turn> enter(Throttle& throttle, store::AttemptKey key) {
    return std::move(*io_.run(entering(throttle, std::move(key))));
  }
  Result<> fail_once(Throttle& throttle) {
    const auto turn = enter(throttle);
    if (!turn) return std::unexpected(turn.error());
    return io_.run(throttle.count_failure(turn->key()));
  }
};

TEST_F(ThrottleTest, HTTP_3_5_attempts_of_one_key_take_turns) {
  Throttle throttle(io_.executor(), *store_, clock_);
  Pending first = start(throttle);
  Pending second = start(throttle);
  io_.run_until([&] { return first->has_value(); });
  ASSERT_TRUE((**first)->has_value());
  io_.poll();
  EXPECT_FALSE(second->has_value());
  // Another key does not wait.
  auto other = key_;
  other.remote_address = kElsewhere;
  EXPECT_TRUE(enter(throttle, other));
  EXPECT_FALSE(second->has_value());
  first->reset();
  io_.run_until([&] { return second->has_value(); });
  EXPECT_TRUE((**second)->has_value());
}

TEST_F(ThrottleTest, HTTP_3_5_many_at_once_get_no_more_tries_than_the_lock_allows) {
  Throttle throttle(io_.executor(), *store_, clock_);
  std::vector<Pending> all;
  for (int i = 0; i < 20; ++i) all.push_back(start(throttle));
  int tries = 0;
  int locked = 0;
  for (const Pending& one : all) {
    io_.run_until([&] { return one->has_value(); });
    if ((**one)->has_value()) {
      ++tries;
      ASSERT_TRUE(io_.run(throttle.count_failure(key_)));
      one->reset();  // the turn ends
    } else {
      ++locked;
      EXPECT_EQ(refusal((**one)->error()), "locked for 60");
    }
  }
  EXPECT_EQ(tries, 5);
  EXPECT_EQ(locked, 15);
}

TEST_F(ThrottleTest, a_line_has_a_bound) {
  Throttle throttle(io_.executor(), *store_, clock_);
  std::vector<Pending> all;
  for (int i = 0; i < 66; ++i) all.push_back(start(throttle));
  io_.run_until([&] { return all.back()->has_value(); });
  // One has its turn, 64 wait, and one too many is told when to come again.
  ASSERT_FALSE((**all.back())->has_value());
  EXPECT_EQ(refusal((**all.back())->error()), "locked for 1");
  all.pop_back();
  for (const Pending& one : all) {
    io_.run_until([&] { return one->has_value(); });
    EXPECT_TRUE((**one)->has_value());
    one->reset();
  }
}

TEST_F(ThrottleTest, HTTP_3_5_the_lock_outlives_the_server) {
  {
    Throttle throttle(io_.executor(), *store_, clock_);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(fail_once(throttle));
    EXPECT_EQ(refusal(enter(throttle)), "locked for 60");
  }
  restart();
  clock_.advance(10s);
  Throttle throttle(io_.executor(), *store_, clock_);
  EXPECT_EQ(refusal(enter(throttle)), "locked for 50");
  clock_.advance(50s);
  EXPECT_TRUE(enter(throttle));
}

TEST_F(ThrottleTest, rows_that_count_for_nothing_any_more_are_dropped) {
  Throttle throttle(io_.executor(), *store_, clock_);
  ASSERT_TRUE(fail_once(throttle));
  clock_.advance(15min);
  auto other = key_;
  other.subject = "bob";
  ASSERT_TRUE(io_.run(throttle.count_failure(other)));
  EXPECT_TRUE(attempts(key_.action, "alice")) << "at the very end of its burst it is still there";
  clock_.advance(1us);
  ASSERT_TRUE(io_.run(throttle.count_failure(other)));
  EXPECT_FALSE(attempts(key_.action, "alice"));
  EXPECT_EQ(attempts(key_.action, "bob")->failures, 2);
}

TEST_F(ThrottleTest, a_store_that_fails_lets_nobody_in) {
  Throttle throttle(io_.executor(), *store_, clock_);
  store_->close();
  EXPECT_EQ(enter(throttle).error(), store::Errc::closed);
  // The turn was given back.
  EXPECT_EQ(enter(throttle).error(), store::Errc::closed);
}

}  // namespace
}  // namespace portunus::server::web_auth
