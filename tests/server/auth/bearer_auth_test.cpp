#include "server/auth/bearer_auth.hpp"

#include "server/store/connection.hpp"
#include "server/store/credential_store.hpp"
#include "tests/server/auth/auth_fixture.hpp"

namespace portunus::server::auth {
namespace {

class BearerAuthTest : public AuthFixture {
 protected:
  Result<Identity> ask(std::optional<std::string> header) {
    return io_.run(
        auth_.authenticate(header ? std::optional<std::string_view>(*header) : std::nullopt));
  }
  Result<Identity> ask(const Secret& token) { return ask("Bearer " + token.reveal()); }
  void run_sql(std::string_view sql) {
    EXPECT_TRUE(store_->write_now([&](store::Connection& c) -> Result<> {
      c.run_script(sql);
      return {};
    }));
  }
  std::optional<SystemTime> last_used(const std::string& credential_id) {
    const auto row = store_->write_now(
        [&](store::Connection& c) { return store::find_credential(c, credential_id); });
    return row.value()->last_used_at;
  }

  BearerAuth auth_{*store_, clock_};
};

TEST_F(BearerAuthTest, HTTP_3_1_step_1_comes_before_the_header) {
  EXPECT_EQ(ask(std::nullopt).error(), Errc::bootstrap_required);
  EXPECT_EQ(ask("Bearer x").error(), Errc::bootstrap_required);
}

TEST_F(BearerAuthTest, HTTP_3_1_step_3_in_order) {
  const auto admin = bootstrap_superadmin(*store_, "ops", clock_);
  ASSERT_TRUE(admin);
  const std::string token = admin->token.reveal();
  for (const char* header : {"", "Bearer", "Bearer ", "Bearer \t ", "bearer x", "Basic x"}) {
    EXPECT_EQ(ask(header).error(), Errc::unauthenticated) << header;
  }
  EXPECT_EQ(ask(std::nullopt).error(), Errc::unauthenticated);
  EXPECT_EQ(ask("Bearer wrong").error(), Errc::credential_invalid);
  EXPECT_EQ(ask("Bearer " + std::string(257, 'a')).error(), Errc::credential_invalid);
  EXPECT_EQ(ask("bearer " + token).error(), Errc::unauthenticated);

  const auto identity = ask("Bearer   " + token + "  ");
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->user_id, "_superadmin");
  EXPECT_EQ(identity->display_name, "ops");
  EXPECT_EQ(identity->role, store::Role::superadmin);
  EXPECT_EQ(identity->credential_id, admin->credential_id);
}

TEST_F(BearerAuthTest, revoked_tokens_and_disabled_users) {
  const auto admin = bootstrap_superadmin(*store_, "ops", clock_);
  run_sql(
      "INSERT INTO users (user_id, display_name, role, disabled, created_at) "
      "VALUES ('alice', 'A', 'user', 1, 0);"
      "INSERT INTO credentials VALUES ('01J00000000000000000000009', 'alice', '" +
      crypto::sha256_hex("alices") + "', NULL, 0, NULL, NULL)");
  EXPECT_EQ(ask("Bearer alices").error(), Errc::user_disabled);
  run_sql("UPDATE credentials SET revoked_at = 1 WHERE user_id = 'alice'");
  EXPECT_EQ(ask("Bearer alices").error(), Errc::credential_invalid);
  run_sql("UPDATE users SET disabled = 1");
  EXPECT_EQ(ask(admin->token).error(), Errc::bootstrap_required);
}

TEST_F(BearerAuthTest, last_use_is_noted_but_not_for_every_request) {
  const auto admin = bootstrap_superadmin(*store_, "ops", clock_);
  const SystemTime first = clock_.now();
  ASSERT_TRUE(ask(admin->token));
  EXPECT_EQ(last_used(admin->credential_id), first);
  clock_.advance(std::chrono::milliseconds(999));
  ASSERT_TRUE(ask(admin->token));
  EXPECT_EQ(last_used(admin->credential_id), first);
  clock_.advance(std::chrono::milliseconds(1));
  ASSERT_TRUE(ask(admin->token));
  EXPECT_EQ(last_used(admin->credential_id), clock_.now());
  clock_.advance(std::chrono::minutes(1));
  EXPECT_FALSE(ask("Bearer wrong"));
  EXPECT_NE(last_used(admin->credential_id), clock_.now());
}

TEST_F(BearerAuthTest, a_store_failure_is_none_of_the_callers_faults) {
  store_->close();
  EXPECT_EQ(ask("Bearer x").error(), store::Errc::closed);
}

TEST_F(BearerAuthTest, no_token_reaches_the_log) {
  const auto admin = bootstrap_superadmin(*store_, "ops", clock_);
  ASSERT_TRUE(ask(admin->token));
  ASSERT_FALSE(ask("Bearer sneaky-value"));
  for (const std::string& line : log_.lines()) {
    EXPECT_FALSE(line.contains(admin->token.reveal())) << line;
    EXPECT_FALSE(line.contains("sneaky-value")) << line;
  }
}

}  // namespace
}  // namespace portunus::server::auth
