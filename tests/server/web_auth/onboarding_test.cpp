#include "server/store/setup_token_store.hpp"
#include "server/web_auth/setup_token.hpp"
#include "tests/server/web_auth/web_auth_fixture.hpp"

namespace portunus::server::web_auth {
namespace {

using Action = store::AttemptKey::Action;

class OnboardingTest : public WebAuthFixture {
 protected:
  void SetUp() override { token_ = rotate_setup_token(*store_, clock_).value().value(); }

  OnboardingRequest request() const {
    return {.user_id = "root",
            .display_name = " The boss ",
            .password = Secret(kPassword),
            .password_confirm = Secret(kPassword),
            .setup_token = token_};
  }
  Result<auth::Identity> onboard(OnboardingRequest wanted, const std::string& from = kHere) {
    return io_.run(web_auth_->onboard(std::move(wanted), {from, std::nullopt}));
  }
  int failures(const char* subject) {
    const auto row = attempts(Action::onboarding, subject);
    return row ? row->failures : 0;
  }
  int with_token() { return failures("_onboarding_setup_token_present"); }
  int without_token() { return failures("_onboarding_setup_token_missing"); }

  Secret token_;
};

TEST_F(OnboardingTest, HTTP_3_6_creates_the_first_superadmin_and_closes) {
  EXPECT_TRUE(io_.run(web_auth_->onboarding_required()).value());
  const auto made = onboard(request());
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->user_id, "root");
  EXPECT_EQ(made->display_name, "The boss");
  EXPECT_EQ(made->role, store::Role::superadmin);
  EXPECT_FALSE(io_.run(web_auth_->onboarding_required()).value());
  EXPECT_FALSE(read([](store::Connection& c) { return store::find_setup_token(c); }));
  EXPECT_TRUE(auth::verify_password(password_of("root")->password_hash, Secret(kPassword)).value());
  EXPECT_FALSE(password_of("root")->change_required);
  EXPECT_TRUE(log_in("root", kPassword));
  EXPECT_EQ(refusal(onboard(request())), "already_bootstrapped");
}

TEST_F(OnboardingTest, HTTP_5_1_the_first_fault_answers) {
  OnboardingRequest all_wrong{.user_id = "Bad",
                              .display_name = " ",
                              .password = Secret("short"),
                              .password_confirm = Secret("other"),
                              .setup_token = Secret()};
  EXPECT_EQ(refusal(onboard(all_wrong)), "setup_token_required");
  all_wrong.setup_token = Secret("x");
  EXPECT_EQ(refusal(onboard(all_wrong)), "setup_token_invalid");
  all_wrong.setup_token = token_;
  EXPECT_EQ(refusal(onboard(all_wrong)), "invalid_user_id");
  all_wrong.user_id = "_root";
  EXPECT_EQ(refusal(onboard(all_wrong)), "reserved_user_id");
  all_wrong.user_id = "root";
  EXPECT_EQ(refusal(onboard(all_wrong, kElsewhere)), "invalid_display_name");
  all_wrong.display_name = "Root";
  EXPECT_EQ(refusal(onboard(all_wrong, kElsewhere)), "password_mismatch");
  all_wrong.password_confirm = Secret("short");
  EXPECT_EQ(refusal(onboard(all_wrong, kElsewhere)), "password_too_short");
  all_wrong.password = all_wrong.password_confirm = Secret(std::string(1025, 'x'));
  EXPECT_EQ(refusal(onboard(all_wrong, kElsewhere)), "password_too_long");
  EXPECT_TRUE(io_.run(web_auth_->onboarding_required()).value()) << "nothing was created";
}

TEST_F(OnboardingTest, HTTP_5_1_an_id_that_is_taken) {
  add_user("root");
  EXPECT_EQ(refusal(onboard(request())), "user_already_exists");
  EXPECT_EQ(with_token(), 1);
  auto other = request();
  other.user_id = "boss";
  EXPECT_TRUE(onboard(other)) << "the token is still good";
}

TEST_F(OnboardingTest, HTTP_3_6_the_token_is_good_for_30_minutes) {
  clock_.advance(30min);
  EXPECT_EQ(refusal(onboard(request())), "setup_token_invalid");
  token_ = rotate_setup_token(*store_, clock_).value().value();
  clock_.advance(30min - 1us);
  EXPECT_TRUE(onboard(request()));
}

TEST_F(OnboardingTest, HTTP_3_6_of_two_at_once_one_succeeds) {
  auto first = request();
  auto second = request();
  second.user_id = "boss";
  // From two addresses, so that nothing but the transaction keeps them apart.
  auto one = io_.start(web_auth_->onboard(first, {kHere, std::nullopt}));
  auto two = io_.start(web_auth_->onboard(second, {kElsewhere, std::nullopt}));
  io_.run_until([&] { return one->has_value() && two->has_value(); });
  const std::set<std::string> answers = {refusal(**one), refusal(**two)};
  EXPECT_EQ(answers, (std::set<std::string>{"none", "already_bootstrapped"}));
  EXPECT_EQ(read([](store::Connection& c) { return store::count_users(c); }), 1);
}

TEST_F(OnboardingTest, HTTP_3_5_every_failed_attempt_counts_by_whether_a_token_was_sent) {
  auto bad = request();
  bad.setup_token = Secret();
  EXPECT_EQ(refusal(onboard(bad)), "setup_token_required");
  EXPECT_EQ(without_token(), 1);
  EXPECT_EQ(with_token(), 0);
  bad.setup_token = Secret("x");
  EXPECT_EQ(refusal(onboard(bad)), "setup_token_invalid");
  bad.setup_token = token_;
  bad.user_id = "Bad";
  EXPECT_EQ(refusal(onboard(bad)), "invalid_user_id");
  bad.user_id = "root";
  bad.display_name = "";
  EXPECT_EQ(refusal(onboard(bad)), "invalid_display_name");
  bad.display_name = "x";
  bad.password_confirm = Secret("another");
  EXPECT_EQ(refusal(onboard(bad)), "password_mismatch");
  bad.password = bad.password_confirm;
  EXPECT_EQ(refusal(onboard(bad)), "password_too_short");
  EXPECT_EQ(with_token(), 5);
  EXPECT_EQ(refusal(onboard(request())), "locked for 60") << "before any work on token or password";
  clock_.advance(60s);
  EXPECT_TRUE(onboard(request()));
  EXPECT_EQ(with_token(), 0) << "success deletes the key";
}

TEST_F(OnboardingTest, HTTP_3_5_already_bootstrapped_is_answered_before_the_throttle) {
  auto bad = request();
  bad.setup_token = Secret("x");
  for (int i = 0; i < 5; ++i) ASSERT_EQ(refusal(onboard(bad)), "setup_token_invalid");
  EXPECT_EQ(refusal(onboard(bad)), "locked for 60");
  add_admin();
  EXPECT_EQ(refusal(onboard(bad)), "already_bootstrapped");
  EXPECT_EQ(with_token(), 5);
}

TEST_F(OnboardingTest, a_disabled_superadmin_opens_it_again) {
  ASSERT_TRUE(onboard(request()));
  disable("root");
  EXPECT_TRUE(io_.run(web_auth_->onboarding_required()).value());
  token_ = rotate_setup_token(*store_, clock_).value().value();
  EXPECT_EQ(refusal(onboard(request())), "user_already_exists");
  auto other = request();
  other.user_id = "boss";
  EXPECT_TRUE(onboard(other));
}

TEST_F(OnboardingTest, no_secret_is_logged) {
  ASSERT_TRUE(onboard(request()));
  for (const std::string& line : log_.lines()) {
    EXPECT_FALSE(line.contains(token_.reveal())) << line;
    EXPECT_FALSE(line.contains(kPassword)) << line;
  }
}

}  // namespace
}  // namespace portunus::server::web_auth
