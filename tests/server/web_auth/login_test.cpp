#include "tests/server/web_auth/web_auth_fixture.hpp"

namespace portunus::server::web_auth {
namespace {

using Action = store::AttemptKey::Action;

class LoginTest : public WebAuthFixture {
 protected:
  void SetUp() override {
    add_admin();
    add_user("alice");
  }
  void fail_times(int count, const std::string& user, const std::string& from = kHere) {
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(refusal(log_in(user, kWrong, from)), "invalid_login") << i;
    }
  }
};

TEST_F(LoginTest, HTTP_5_1_login) {
  const auto done = log_in("alice", kPassword);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->who.user_id, "alice");
  EXPECT_FALSE(done->who.password_change_required);
  EXPECT_TRUE(verify(done->cookie));
}

TEST_F(LoginTest, HTTP_3_7_all_reasons_give_the_same_answer) {
  add_user("nopass", store::Role::user, false);
  add_user("off");
  disable("off");
  for (const char* user : {"alice", "nobody", "nopass", "off", "Not A User", "", "_superadmin"}) {
    const auto refused = log_in(user, user == std::string("alice") ? kWrong : kPassword);
    EXPECT_EQ(refused.error(), Errc::invalid_login) << user;
    EXPECT_EQ(refused.error().detail, "") << user;
  }
}

TEST_F(LoginTest, HTTP_5_1_reserved_ids_can_log_in) {
  add_user("_superadmin", store::Role::superadmin);
  EXPECT_TRUE(log_in("_superadmin", kPassword));
}

TEST_F(LoginTest, HTTP_3_5_five_failures_lock_the_key_for_60_seconds) {
  fail_times(5, "alice");
  EXPECT_EQ(refusal(log_in("alice", kPassword)), "locked for 60");
  clock_.advance(59s + 500ms);
  EXPECT_EQ(refusal(log_in("alice", kPassword)), "locked for 1");
  EXPECT_EQ(attempts(Action::login, "alice")->failures, 5) << "a refusal is no failure";
  clock_.advance(500ms);
  EXPECT_TRUE(log_in("alice", kPassword));
}

TEST_F(LoginTest, HTTP_3_5_the_key_is_subject_and_address) {
  fail_times(5, "alice");
  EXPECT_TRUE(log_in("alice", kPassword, kElsewhere));
  EXPECT_TRUE(log_in("admin", kPassword));
  EXPECT_EQ(refusal(log_in("alice", kPassword)), "locked for 60");
}

TEST_F(LoginTest, HTTP_3_5_ids_outside_the_grammar_share_a_key) {
  add_user("_superadmin", store::Role::superadmin);
  for (const char* user : {"_superadmin", "_legacy", "Nobody!", "", "x y"}) {
    ASSERT_EQ(refusal(log_in(user, kWrong)), "invalid_login") << user;
  }
  EXPECT_EQ(attempts(Action::login, "_unknown")->failures, 5);
  EXPECT_EQ(refusal(log_in("_superadmin", kPassword)), "locked for 60");
  EXPECT_EQ(refusal(log_in("nobody", kWrong)), "invalid_login") << "grammatical, though unknown";
}

TEST_F(LoginTest, HTTP_3_5_success_deletes_the_key) {
  fail_times(4, "alice");
  ASSERT_TRUE(log_in("alice", kPassword));
  EXPECT_EQ(attempts(Action::login, "alice"), std::nullopt);
  fail_times(4, "alice");
  EXPECT_TRUE(log_in("alice", kPassword));
}

TEST_F(LoginTest, HTTP_3_5_a_new_burst_begins_at_one) {
  fail_times(4, "alice");
  clock_.advance(15min);
  fail_times(4, "alice");
  EXPECT_EQ(attempts(Action::login, "alice")->failures, 4);
  clock_.advance(15min - 1us);
  fail_times(1, "alice");
  EXPECT_EQ(refusal(log_in("alice", kPassword)), "locked for 60");
}

TEST_F(LoginTest, HTTP_3_5_the_state_is_persistent) {
  fail_times(5, "alice");
  restart();
  EXPECT_EQ(refusal(log_in("alice", kPassword)), "locked for 60");
}

TEST_F(LoginTest, HTTP_3_5_many_wrong_logins_at_once_get_five_tries) {
  std::vector<std::shared_ptr<std::optional<Result<LoggedIn>>>> all;
  for (int i = 0; i < 12; ++i) {
    all.push_back(io_.start(
        web_auth_->log_in({"alice", Secret(kWrong)}, {.address = kHere, .user_agent = {}})));
  }
  std::map<std::string, int> answers;
  for (const auto& one : all) {
    io_.run_until([&] { return one->has_value(); });
    ++answers[refusal(**one)];
  }
  EXPECT_EQ(answers, (std::map<std::string, int>{{"invalid_login", 5}, {"locked for 60", 7}}));
}

TEST_F(LoginTest, many_right_logins_at_once_all_succeed) {
  std::vector<std::shared_ptr<std::optional<Result<LoggedIn>>>> all;
  for (int i = 0; i < 12; ++i) {
    all.push_back(io_.start(
        web_auth_->log_in({"alice", Secret(kPassword)}, {.address = kHere, .user_agent = {}})));
  }
  for (const auto& one : all) {
    io_.run_until([&] { return one->has_value(); });
    EXPECT_EQ(refusal(**one), "none");
  }
}

TEST_F(LoginTest, a_full_queue_is_no_failure_of_the_caller) {
  auth::PasswordHasher none({.threads = 1, .max_jobs = 0});
  WebAuth busy(io_.executor(), *store_, none, clock_);
  const auto refused = io_.run(busy.log_in({"alice", Secret(kPassword)}, {kHere, std::nullopt}));
  EXPECT_EQ(refused.error(), auth::Errc::password_queue_full);
  EXPECT_EQ(attempts(Action::login, "alice"), std::nullopt);
}

TEST_F(LoginTest, a_password_that_was_reset_meanwhile_opens_nothing) {
  auth::PasswordHasher hasher({.threads = 1, .max_jobs = 64});
  WebAuth slow(io_.executor(), *store_, hasher, clock_);
  std::vector<std::shared_ptr<std::optional<Result<bool>>>> before;
  for (int i = 0; i < 8; ++i) {
    before.push_back(io_.start(hasher.verify(std::nullopt, Secret(kWrong))));
  }
  auto pending =
      io_.start(slow.log_in({"alice", Secret(kPassword)}, {.address = kHere, .user_agent = {}}));
  // While the old one waits to be checked, behind what takes several times as long.
  const auto started = std::chrono::steady_clock::now();
  io_.run_until([&] { return std::chrono::steady_clock::now() - started > 20ms; });
  write([&](store::Connection& c) {
    return store::put_password(c, {.user_id = "alice",
                                   .password_hash = auth::dummy_password_hash(),
                                   .change_required = false});
  });
  io_.run_until([&] { return pending->has_value() && before.back()->has_value(); });
  EXPECT_EQ(refusal(**pending), "invalid_login");
}

TEST_F(LoginTest, the_user_agent_is_kept_short) {
  const auto done = io_.run(web_auth_->log_in(
      {"alice", Secret(kPassword)}, {.address = kHere, .user_agent = std::string(10'000, 'u')}));
  ASSERT_TRUE(done);
  EXPECT_EQ(session_row(done->cookie)->user_agent, std::string(256, 'u'));
}

}  // namespace
}  // namespace portunus::server::web_auth
