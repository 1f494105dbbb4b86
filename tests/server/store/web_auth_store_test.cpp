#include <gtest/gtest.h>

#include <set>

#include "server/store/connection.hpp"
#include "server/store/credential_store.hpp"
#include "server/store/errc.hpp"
#include "server/store/login_attempt_store.hpp"
#include "server/store/migrator.hpp"
#include "server/store/password_store.hpp"
#include "server/store/session_store.hpp"
#include "server/store/setup_token_store.hpp"
#include "server/store/user_store.hpp"
#include "tests/support/temp_dir.hpp"

namespace portunus::server::store {
namespace {

class WebAuthStoreTest : public testing::Test {
 protected:
  WebAuthStoreTest()
      : c(dir_ / "state.db", Connection::Access::write, std::chrono::milliseconds(100)) {
    c.configure();
    EXPECT_TRUE(migrate(c, 0, embedded_migrations(), at(0)));
    for (const char* id : {"alice", "bob"}) {
      EXPECT_TRUE(insert_user(c, {.user_id = id,
                                  .display_name = id,
                                  .role = Role::user,
                                  .disabled = false,
                                  .created_at = at(1)}));
    }
  }
  static SystemTime at(std::int64_t second) {
    return SystemTime(std::chrono::seconds(1'700'000'000 + second));
  }
  static std::string hash(char digit) { return std::string(64, digit); }
  static SessionRow session(char digit, const std::string& user = "alice") {
    return {.session_hash = hash(digit),
            .user_id = user,
            .created_at = at(10),
            .last_seen_at = at(10),
            .expires_at = at(1000),
            .revoked_at = std::nullopt,
            .remote_address = "203.0.113.9",
            .user_agent = std::nullopt};
  }
  void remove_user(const std::string& id) {
    c.run_script("DELETE FROM users WHERE user_id = '" + id + "'");
  }

  test::TempDir dir_;
  Connection c;
};

TEST_F(WebAuthStoreTest, SQ_3_password_round_trip) {
  EXPECT_FALSE(find_password(c, "alice").value());
  ASSERT_TRUE(put_password(c, {"alice", "$argon2id$one", true}));
  ASSERT_TRUE(put_password(c, {"alice", "$argon2id$two", false}));
  const auto found = find_password(c, "alice").value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->password_hash, "$argon2id$two");
  EXPECT_FALSE(found->change_required);
  EXPECT_EQ(put_password(c, {"nobody", "$argon2id$x", false}).error(), Errc::constraint);
}

TEST_F(WebAuthStoreTest, SQ_3_a_removed_user_takes_password_and_sessions_along) {
  ASSERT_TRUE(put_password(c, {"alice", "$argon2id$one", true}));
  ASSERT_TRUE(insert_session(c, session('a')));
  ASSERT_TRUE(insert_session(c, session('b', "bob")));
  remove_user("alice");
  EXPECT_FALSE(find_password(c, "alice").value());
  EXPECT_FALSE(find_session(c, hash('a')).value());
  EXPECT_TRUE(find_session(c, hash('b')).value());
}

TEST_F(WebAuthStoreTest, SQ_3_session_round_trip) {
  SessionRow row = session('a');
  row.user_agent = "agent";
  ASSERT_TRUE(insert_session(c, row));
  const auto found = find_session(c, hash('a')).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->user_id, "alice");
  EXPECT_EQ(found->created_at, at(10));
  EXPECT_EQ(found->last_seen_at, at(10));
  EXPECT_EQ(found->expires_at, at(1000));
  EXPECT_EQ(found->revoked_at, std::nullopt);
  EXPECT_EQ(found->remote_address, "203.0.113.9");
  EXPECT_EQ(found->user_agent, "agent");
  EXPECT_EQ(insert_session(c, row).error(), Errc::constraint);
  EXPECT_EQ(insert_session(c, session('b', "nobody")).error(), Errc::constraint);
}

TEST_F(WebAuthStoreTest, sessions_are_found_by_the_beginning_of_their_hash) {
  for (const char digit : {'0', '9', 'a', 'f'}) ASSERT_TRUE(insert_session(c, session(digit)));
  const auto seen = [&](std::string_view prefix) {
    std::set<std::string> hashes;
    EXPECT_TRUE(scan_session_hashes(c, prefix, [&](std::string_view stored, std::string_view id) {
      EXPECT_EQ(stored, id);
      hashes.emplace(stored);
    }));
    return hashes;
  };
  EXPECT_EQ(seen("ff"), (std::set<std::string>{hash('f')}));
  EXPECT_EQ(seen(hash('0')), (std::set<std::string>{hash('0')}));
  EXPECT_EQ(seen("a0"), std::set<std::string>{});
  EXPECT_EQ(seen("").size(), 4U);
}

TEST_F(WebAuthStoreTest, a_use_never_moves_back) {
  ASSERT_TRUE(insert_session(c, session('a')));
  ASSERT_TRUE(touch_session(c, hash('a'), at(50)));
  ASSERT_TRUE(touch_session(c, hash('a'), at(40)));
  EXPECT_EQ(find_session(c, hash('a')).value()->last_seen_at, at(50));
}

TEST_F(WebAuthStoreTest, revoking_one_session_keeps_its_first_instant) {
  ASSERT_TRUE(insert_session(c, session('a')));
  ASSERT_TRUE(insert_session(c, session('b')));
  ASSERT_TRUE(revoke_session(c, hash('a'), at(20)));
  ASSERT_TRUE(revoke_session(c, hash('a'), at(30)));
  EXPECT_EQ(find_session(c, hash('a')).value()->revoked_at, at(20));
  EXPECT_EQ(find_session(c, hash('b')).value()->revoked_at, std::nullopt);
}

TEST_F(WebAuthStoreTest, revoking_all_counts_those_that_were_still_good) {
  SessionRow idle = session('1');
  idle.last_seen_at = at(99);
  SessionRow at_the_limits = session('2');
  at_the_limits.last_seen_at = at(100);
  at_the_limits.expires_at = at(500);
  SessionRow ended = session('3');
  ended.last_seen_at = at(200);
  ended.expires_at = at(499);
  SessionRow revoked = session('4');
  revoked.last_seen_at = at(200);
  revoked.revoked_at = at(300);
  for (const SessionRow& row : {idle, at_the_limits, ended, revoked, session('5', "bob")}) {
    ASSERT_TRUE(insert_session(c, row));
  }
  EXPECT_EQ(revoke_sessions_of(c, "alice", at(500), at(100)).value(), 1);
  for (const char digit : {'1', '2', '3'}) {
    EXPECT_EQ(find_session(c, hash(digit)).value()->revoked_at, at(500)) << digit;
  }
  EXPECT_EQ(find_session(c, hash('4')).value()->revoked_at, at(300));
  EXPECT_EQ(find_session(c, hash('5')).value()->revoked_at, std::nullopt);
}

TEST_F(WebAuthStoreTest, sessions_past_their_end_are_removed) {
  SessionRow old = session('1');
  old.expires_at = at(99);
  SessionRow last = session('2');
  last.expires_at = at(100);
  ASSERT_TRUE(insert_session(c, old));
  ASSERT_TRUE(insert_session(c, last));
  ASSERT_TRUE(remove_sessions_ended(c, at(100)));
  EXPECT_FALSE(find_session(c, hash('1')).value());
  EXPECT_TRUE(find_session(c, hash('2')).value());
}

TEST_F(WebAuthStoreTest, active_api_tokens_are_revoked_and_counted) {
  const auto add = [&](const char* id, char digit, const char* user,
                       std::optional<SystemTime> revoked) {
    ASSERT_TRUE(insert_credential(c, {.credential_id = id,
                                      .user_id = user,
                                      .token_hash = hash(digit),
                                      .label = std::nullopt,
                                      .created_at = at(1),
                                      .last_used_at = std::nullopt,
                                      .revoked_at = revoked}));
  };
  add("01J00000000000000000000001", '1', "alice", std::nullopt);
  add("01J00000000000000000000002", '2', "alice", at(5));
  add("01J00000000000000000000003", '3', "bob", std::nullopt);
  EXPECT_EQ(revoke_credentials_of(c, "alice", at(9)).value(), 1);
  EXPECT_EQ(find_credential(c, "01J00000000000000000000001").value()->revoked_at, at(9));
  EXPECT_EQ(find_credential(c, "01J00000000000000000000002").value()->revoked_at, at(5));
  EXPECT_EQ(find_credential(c, "01J00000000000000000000003").value()->revoked_at, std::nullopt);
  EXPECT_EQ(revoke_credentials_of(c, "alice", at(9)).value(), 0);
}

TEST_F(WebAuthStoreTest, SQ_3_login_attempt_round_trip) {
  const AttemptKey key{AttemptKey::Action::login, "alice", "203.0.113.9"};
  EXPECT_FALSE(find_attempts(c, key).value());
  AttemptRow row{.failures = 1,
                 .first_failed_at = at(1),
                 .last_failed_at = at(1),
                 .locked_until = std::nullopt};
  ASSERT_TRUE(put_attempts(c, key, row));
  EXPECT_EQ(find_attempts(c, key).value(), row);
  row = {.failures = 5, .first_failed_at = at(1), .last_failed_at = at(9), .locked_until = at(69)};
  ASSERT_TRUE(put_attempts(c, key, row));
  EXPECT_EQ(find_attempts(c, key).value(), row);
  // Each part of the key makes another one.
  for (const AttemptKey& other :
       {AttemptKey{AttemptKey::Action::password_reset, "alice", "203.0.113.9"},
        AttemptKey{AttemptKey::Action::onboarding, "alice", "203.0.113.9"},
        AttemptKey{AttemptKey::Action::login, "bob", "203.0.113.9"},
        AttemptKey{AttemptKey::Action::login, "alice", "::1"}}) {
    EXPECT_FALSE(find_attempts(c, other).value());
    EXPECT_TRUE(put_attempts(c, other, row));
  }
  ASSERT_TRUE(remove_attempts(c, key));
  EXPECT_FALSE(find_attempts(c, key).value());
  EXPECT_TRUE(find_attempts(c, {AttemptKey::Action::login, "bob", "203.0.113.9"}).value());
}

TEST_F(WebAuthStoreTest, old_login_attempts_are_removed) {
  const AttemptKey old{AttemptKey::Action::login, "alice", "203.0.113.9"};
  const AttemptKey last{AttemptKey::Action::login, "bob", "203.0.113.9"};
  ASSERT_TRUE(put_attempts(c, old, {1, at(1), at(99), std::nullopt}));
  ASSERT_TRUE(put_attempts(c, last, {1, at(1), at(100), std::nullopt}));
  ASSERT_TRUE(remove_attempts_before(c, at(100)));
  EXPECT_FALSE(find_attempts(c, old).value());
  EXPECT_TRUE(find_attempts(c, last).value());
}

TEST_F(WebAuthStoreTest, SQ_3_there_is_one_setup_token_at_most) {
  EXPECT_FALSE(find_setup_token(c).value());
  ASSERT_TRUE(put_setup_token(c, {hash('a'), at(0), at(1800)}));
  ASSERT_TRUE(put_setup_token(c, {hash('b'), at(5), at(1805)}));
  const auto found = find_setup_token(c).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->token_hash, hash('b'));
  EXPECT_EQ(found->issued_at, at(5));
  EXPECT_EQ(found->expires_at, at(1805));
  ASSERT_TRUE(remove_setup_token(c));
  EXPECT_FALSE(find_setup_token(c).value());
}

}  // namespace
}  // namespace portunus::server::store
