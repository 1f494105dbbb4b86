#include "server/web_auth/sessions.hpp"

#include "tests/server/web_auth/web_auth_fixture.hpp"

namespace portunus::server::web_auth {
namespace {

class SessionsTest : public WebAuthFixture {
 protected:
  void SetUp() override {
    add_admin();
    add_user("alice");
  }
};

TEST_F(SessionsTest, HTTP_3_3_the_row_of_a_session) {
  const SystemTime now = clock_.now();
  const Secret cookie = session("alice");
  EXPECT_EQ(cookie.reveal().size(), 43U);
  const auto row = session_row(cookie);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->user_id, "alice");
  EXPECT_EQ(row->created_at, now);
  EXPECT_EQ(row->last_seen_at, now);
  EXPECT_EQ(row->expires_at, now + 7 * 24h);
  EXPECT_EQ(row->revoked_at, std::nullopt);
  EXPECT_EQ(row->remote_address, kHere);
  EXPECT_EQ(row->user_agent, "test agent");
}

TEST_F(SessionsTest, HTTP_3_3_who_a_session_belongs_to) {
  const auto who = verify(session("alice"));
  ASSERT_TRUE(who) << who.error().text();
  EXPECT_EQ(who->user_id, "alice");
  EXPECT_EQ(who->display_name, "The alice");
  EXPECT_EQ(who->role, store::Role::user);
  EXPECT_TRUE(who->session);
  EXPECT_FALSE(who->password_change_required);
  EXPECT_EQ(verify(session("admin"))->role, store::Role::superadmin);
}

TEST_F(SessionsTest, HTTP_3_3_each_login_mints_a_secret_and_keeps_the_others) {
  const Secret first = session("alice");
  const Secret second = session("alice");
  EXPECT_NE(first.reveal(), second.reveal());
  EXPECT_TRUE(verify(first));
  EXPECT_TRUE(verify(second));
}

TEST_F(SessionsTest, HTTP_3_1_step_2_a_bad_cookie) {
  const Secret good = session("alice");
  for (const std::string& bad :
       {std::string(), std::string("x"), good.reveal() + "x", std::string(43, 'A'),
        std::string(257, 'A'), std::string(100'000, 'A')}) {
    EXPECT_EQ(verify(Secret(bad)).error(), auth::Errc::credential_invalid) << bad.substr(0, 50);
    EXPECT_EQ(log_out(Secret(bad)).error(), auth::Errc::credential_invalid) << bad.substr(0, 50);
  }
  EXPECT_TRUE(verify(good));
}

TEST_F(SessionsTest, HTTP_3_1_step_1_comes_before_the_session) {
  const Secret cookie = session("alice");
  disable("admin");
  EXPECT_EQ(verify(cookie).error(), auth::Errc::bootstrap_required);
  EXPECT_EQ(verify(Secret("x")).error(), auth::Errc::bootstrap_required);
}

TEST_F(SessionsTest, HTTP_3_3_a_session_is_idle_for_8_hours_at_most) {
  const Secret cookie = session("alice");
  clock_.advance(8h);
  EXPECT_TRUE(verify(cookie)) << "exactly at the limit it is not later than it";
  clock_.advance(8h + 1us);
  EXPECT_EQ(verify(cookie).error(), auth::Errc::credential_invalid);
  EXPECT_EQ(log_out(cookie).error(), auth::Errc::credential_invalid);
}

TEST_F(SessionsTest, HTTP_3_3_every_use_counts_even_one_right_after_another) {
  const Secret cookie = session("alice");
  for (int i = 0; i < 3; ++i) {
    clock_.advance(1us);
    ASSERT_TRUE(verify(cookie));
  }
  const SystemTime last = clock_.now();
  // Neither in this life nor in the next is any of them forgotten.
  settle();
  EXPECT_EQ(session_row(cookie)->last_seen_at, last);
  restart();
  clock_.advance(8h);
  EXPECT_TRUE(verify(cookie));
}

TEST_F(SessionsTest, HTTP_3_3_a_use_counts_before_it_is_written) {
  const Secret cookie = session("alice");
  clock_.advance(8h);
  // The second begins before the loop had a chance to write the first one's use.
  auto first = io_.start(web_auth_->sessions().verify(cookie));
  io_.run_until([&] { return first->has_value(); });
  clock_.advance(8h);
  EXPECT_TRUE(verify(cookie));
}

TEST_F(SessionsTest, HTTP_3_3_seven_days_are_the_end_whatever_is_used) {
  const Secret cookie = session("alice");
  for (int i = 0; i < 21; ++i) {
    clock_.advance(8h);
    ASSERT_TRUE(verify(cookie)) << i;
  }
  clock_.advance(1us);
  EXPECT_EQ(verify(cookie).error(), auth::Errc::credential_invalid);
}

TEST_F(SessionsTest, HTTP_3_3_a_refused_use_keeps_nothing_alive) {
  const Secret cookie = session("alice");
  clock_.advance(7h);
  disable("alice");
  EXPECT_EQ(verify(cookie).error(), auth::Errc::user_disabled);
  settle();
  EXPECT_EQ(session_row(cookie)->last_seen_at, session_row(cookie)->created_at);
}

TEST_F(SessionsTest, HTTP_3_3_logout_ends_that_session) {
  const Secret first = session("alice");
  const Secret second = session("alice");
  const auto who = log_out(first);
  ASSERT_TRUE(who);
  EXPECT_EQ(who->user_id, "alice");
  EXPECT_EQ(verify(first).error(), auth::Errc::credential_invalid);
  EXPECT_EQ(log_out(first).error(), auth::Errc::credential_invalid);
  EXPECT_TRUE(verify(second));
}

TEST_F(SessionsTest, HTTP_3_3_sessions_outlive_the_server) {
  const Secret cookie = session("alice");
  const Secret ended = session("alice");
  ASSERT_TRUE(log_out(ended));
  restart();
  EXPECT_TRUE(verify(cookie));
  EXPECT_FALSE(verify(ended));
}

TEST_F(SessionsTest, sessions_past_their_end_are_dropped_at_the_next_login) {
  const Secret old = session("alice");
  clock_.advance(7 * 24h + 1us);
  session("admin");
  EXPECT_FALSE(session_row(old));
}

TEST_F(SessionsTest, no_secret_of_a_session_is_logged_or_stored) {
  const Secret cookie = session("alice");
  ASSERT_TRUE(verify(cookie));
  settle();
  for (const std::string& line : log_.lines()) {
    EXPECT_FALSE(line.contains(cookie.reveal())) << line;
  }
  EXPECT_EQ(session_row(cookie)->session_hash, crypto::sha256_hex(cookie.reveal()));
}

TEST_F(SessionsTest, a_store_failure_is_none_of_the_callers_faults) {
  const Secret cookie = session("alice");
  store_->close();
  EXPECT_EQ(verify(cookie).error(), store::Errc::closed);
}

}  // namespace
}  // namespace portunus::server::web_auth
