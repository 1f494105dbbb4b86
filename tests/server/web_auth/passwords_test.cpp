#include "server/auth/bearer_auth.hpp"
#include "tests/server/web_auth/web_auth_fixture.hpp"

namespace portunus::server::web_auth {
namespace {

using Action = store::AttemptKey::Action;

constexpr auto kNew = "a much better password";

class PasswordsTest : public WebAuthFixture {
 protected:
  void SetUp() override {
    add_admin();
    add_user("alice");
  }
  Result<> change(const std::string& user, const std::string& current, const std::string& wanted,
                  const std::string& confirm, const std::string& from = kHere) {
    return io_.run(web_auth_->change_password(
        user, {Secret(current), Secret(wanted), Secret(confirm)}, {from, std::nullopt}));
  }
  Result<> change(const std::string& current, const std::string& wanted) {
    return change("alice", current, wanted, wanted);
  }
  Result<PasswordReset> reset(ResetRequest request, const std::string& from = kHere) {
    return io_.run(web_auth_->reset_password(std::move(request), {from, std::nullopt}));
  }
  bool token_works(const std::string& token) {
    auth::BearerAuth bearer(*store_, clock_);
    const std::string header = "Bearer " + token;
    return io_.run(bearer.authenticate(header)).has_value();
  }
};

TEST_F(PasswordsTest, HTTP_6_1_changing_ones_own) {
  const Secret cookie = session("alice");
  add_credential("alice", "alices-token");
  ASSERT_TRUE(change(kPassword, kNew));
  EXPECT_TRUE(log_in("alice", kNew));
  EXPECT_EQ(refusal(log_in("alice", kPassword)), "invalid_login");
  EXPECT_TRUE(verify(cookie)) << "sessions stay";
  EXPECT_TRUE(token_works("alices-token")) << "tokens stay";
}

TEST_F(PasswordsTest, HTTP_6_1_the_first_fault_of_a_change_answers) {
  EXPECT_EQ(refusal(change("alice", kWrong, "short", "other")), "password_mismatch");
  EXPECT_EQ(refusal(change(kWrong, "short")), "invalid_login");
  EXPECT_EQ(refusal(change(kPassword, "short")), "password_too_short");
  EXPECT_EQ(refusal(change(kPassword, std::string(1025, 'x'))), "password_too_long");
  add_user("nopass", store::Role::user, false);
  EXPECT_EQ(refusal(change("nopass", "", kNew, kNew)), "invalid_login");
  EXPECT_TRUE(log_in("alice", kPassword)) << "nothing changed";
}

TEST_F(PasswordsTest, HTTP_3_5_wrong_passwords_count_as_at_a_login_wherever_they_are_tried) {
  for (int i = 0; i < 3; ++i) ASSERT_EQ(refusal(change(kWrong, kNew)), "invalid_login");
  // What is no guess does not count.
  EXPECT_EQ(refusal(change("alice", kWrong, kNew, "other")), "password_mismatch");
  EXPECT_EQ(refusal(change(kPassword, "short")), "password_too_short");
  EXPECT_EQ(attempts(Action::login, "alice")->failures, 3);
  EXPECT_EQ(refusal(log_in("alice", kWrong)), "invalid_login");
  EXPECT_EQ(refusal(change(kWrong, kNew)), "invalid_login");
  EXPECT_EQ(refusal(change(kPassword, kNew)), "locked for 60");
  EXPECT_EQ(refusal(log_in("alice", kPassword)), "locked for 60");
  EXPECT_EQ(refusal(change("alice", kWrong, kNew, "other")), "password_mismatch");
  EXPECT_EQ(attempts(Action::login, "alice")->failures, 5) << "a locked one is no failure";
  EXPECT_TRUE(log_in("alice", kPassword, kElsewhere));
  EXPECT_TRUE(log_in("admin", kPassword));

  clock_.advance(60s);
  EXPECT_TRUE(change(kPassword, kNew));
  EXPECT_EQ(attempts(Action::login, "alice"), std::nullopt);
}

TEST_F(PasswordsTest, HTTP_3_7_a_change_clears_the_flag_and_frees_the_session) {
  const auto done = reset({.user_id = "alice", .password = Secret(kPassword), .temporary = true});
  ASSERT_TRUE(done);
  const auto in = log_in("alice", kPassword);
  ASSERT_TRUE(in);
  EXPECT_TRUE(in->who.password_change_required);
  EXPECT_TRUE(verify(in->cookie)->password_change_required);
  ASSERT_TRUE(change(kPassword, kNew));
  EXPECT_FALSE(verify(in->cookie)->password_change_required);
  EXPECT_FALSE(log_in("alice", kNew)->who.password_change_required);
}

TEST_F(PasswordsTest, HTTP_6_1_a_reset_ends_sessions_and_tokens) {
  const Secret first = session("alice");
  const Secret second = session("alice");
  const Secret other = session("admin");
  add_credential("alice", "alices-token");
  add_credential("alice", "alices-other-token");
  add_credential("admin", "admins-token");
  const auto done = reset({.user_id = "alice", .password = Secret(kNew)});
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->user_id, "alice");
  EXPECT_EQ(done->sessions_revoked, 2);
  EXPECT_EQ(done->api_tokens_revoked, 2);
  EXPECT_FALSE(done->generated);
  EXPECT_FALSE(done->change_required);
  EXPECT_FALSE(verify(first));
  EXPECT_FALSE(verify(second));
  EXPECT_TRUE(verify(other));
  EXPECT_FALSE(token_works("alices-token"));
  EXPECT_TRUE(token_works("admins-token"));
  EXPECT_FALSE(log_in("alice", kNew)->who.password_change_required);
}

TEST_F(PasswordsTest, HTTP_6_1_a_reset_can_keep_the_tokens) {
  session("alice");
  add_credential("alice", "alices-token");
  const auto done = reset({.user_id = "alice", .password = Secret(kNew), .keep_api_tokens = true});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->sessions_revoked, 1);
  EXPECT_EQ(done->api_tokens_revoked, 0);
  EXPECT_TRUE(done->api_tokens_kept);
  EXPECT_TRUE(token_works("alices-token"));
}

TEST_F(PasswordsTest, HTTP_6_1_without_a_password_one_is_generated_and_always_temporary) {
  for (const bool temporary : {false, true}) {
    const auto done = reset({.user_id = "alice", .password = {}, .temporary = temporary});
    ASSERT_TRUE(done);
    ASSERT_TRUE(done->generated);
    EXPECT_EQ(done->generated->reveal().size(), 43U);
    EXPECT_TRUE(done->change_required);
    const auto in = log_in("alice", done->generated->reveal());
    ASSERT_TRUE(in);
    EXPECT_TRUE(in->who.password_change_required);
  }
}

TEST_F(PasswordsTest, HTTP_6_1_sessions_that_are_over_are_not_counted_but_revoked) {
  const Secret idle = session("alice");
  clock_.advance(8h + 1us);
  const Secret live = session("alice");
  const auto done = reset({.user_id = "alice", .password = Secret(kNew)});
  EXPECT_EQ(done->sessions_revoked, 1);
  EXPECT_TRUE(session_row(idle)->revoked_at);
  EXPECT_TRUE(session_row(live)->revoked_at);
}

TEST_F(PasswordsTest, HTTP_6_1_the_first_fault_of_a_reset_answers) {
  EXPECT_EQ(refusal(reset({.user_id = "Bad", .password = Secret("short")})), "invalid_user_id");
  EXPECT_EQ(refusal(reset({.user_id = "nobody", .password = Secret("short")})),
            "password_too_short");
  EXPECT_EQ(refusal(reset({.user_id = "nobody", .password = Secret(std::string(1025, 'x'))})),
            "password_too_long");
  EXPECT_EQ(refusal(reset({.user_id = "nobody", .password = Secret(kNew)})), "user_not_found");
  EXPECT_EQ(refusal(reset({.user_id = "_legacy", .password = Secret(kNew)})), "user_not_found");
  add_user("_legacy", store::Role::superadmin, false);
  EXPECT_TRUE(reset({.user_id = "_legacy", .password = Secret(kNew)}));
}

TEST_F(PasswordsTest, HTTP_3_5_resets_are_throttled_by_their_target) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(refusal(reset({.user_id = "alice", .password = Secret("short")})),
              "password_too_short");
  }
  EXPECT_EQ(refusal(reset({.user_id = "alice", .password = Secret(kNew)})), "locked for 60");
  EXPECT_TRUE(reset({.user_id = "alice", .password = Secret(kNew)}, kElsewhere));
  EXPECT_TRUE(reset({.user_id = "admin", .password = Secret(kNew)}));
  clock_.advance(60s);
  EXPECT_TRUE(reset({.user_id = "alice", .password = Secret(kNew)}));
  EXPECT_EQ(attempts(Action::password_reset, "alice"), std::nullopt);
}

TEST_F(PasswordsTest, CLI_2_2_the_local_reset_does_the_same_without_a_server) {
  session("alice");
  add_credential("alice", "alices-token");
  const auto done = reset_password_now(*store_, {.user_id = "alice", .password = {}}, clock_);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->sessions_revoked, 1);
  EXPECT_EQ(done->api_tokens_revoked, 1);
  EXPECT_TRUE(log_in("alice", done->generated->reveal())->who.password_change_required);
  EXPECT_EQ(refusal(reset_password_now(*store_, {.user_id = "nobody", .password = {}}, clock_)),
            "user_not_found");
  EXPECT_EQ(refusal(reset_password_now(*store_, {.user_id = "nobody", .password = Secret("short")},
                                       clock_)),
            "password_too_short");
}

TEST_F(PasswordsTest, HTTP_12_what_the_audit_row_of_a_reset_tells) {
  EXPECT_EQ(
      reset_details({.user_id = "alice", .sessions_revoked = 1, .api_tokens_revoked = 2}, false),
      R"({"sessions_revoked":1,"api_tokens_revoked":2,"temporary_password_generated":false,)"
      R"("password_change_required":false,"api_tokens_kept":false})");
  EXPECT_EQ(reset_details({.user_id = "alice",
                           .generated = Secret("secret"),
                           .change_required = true,
                           .api_tokens_kept = true},
                          true),
            R"({"sessions_revoked":0,"api_tokens_revoked":0,"temporary_password_generated":true,)"
            R"("password_change_required":true,"api_tokens_kept":true,"source":"local_cli"})");
}

TEST_F(PasswordsTest, no_password_is_logged) {
  ASSERT_TRUE(change(kPassword, kNew));
  const auto done = reset({.user_id = "alice", .password = {}});
  for (const std::string& line : log_.lines()) {
    EXPECT_FALSE(line.contains(kNew)) << line;
    EXPECT_FALSE(line.contains(done->generated->reveal())) << line;
  }
}

}  // namespace
}  // namespace portunus::server::web_auth
