#include "server/auth/bearer_auth.hpp"
#include "server/store/connection.hpp"
#include "server/store/credential_store.hpp"
#include "tests/server/auth/auth_fixture.hpp"

namespace portunus::server::auth {
namespace {

class BootstrapTest : public AuthFixture {
 protected:
  void run_sql(std::string_view sql) {
    EXPECT_TRUE(store_->write_now([&](store::Connection& c) -> Result<> {
      c.run_script(sql);
      return {};
    }));
  }
  std::optional<store::UserRow> user(std::string_view id) {
    return store_->read_now([&](store::Connection& c) { return store::find_user(c, id); }).value();
  }
};

TEST_F(BootstrapTest, HTTP_3_2_creates_the_superadmin_once) {
  EXPECT_FALSE(superadmin_exists(*store_).value());
  const auto admin = bootstrap_superadmin(*store_, "  Night shift ", clock_);
  ASSERT_TRUE(admin);
  EXPECT_EQ(admin->token.reveal().size(), 43U);
  EXPECT_TRUE(superadmin_exists(*store_).value());
  ASSERT_TRUE(user("_superadmin"));
  EXPECT_EQ(user("_superadmin")->display_name, "Night shift");
  const auto credential = store_->read_now(
      [&](store::Connection& c) { return store::find_credential(c, admin->credential_id); });
  EXPECT_EQ((*credential)->label, "bootstrap");
  EXPECT_EQ((*credential)->token_hash, crypto::sha256_hex(admin->token.reveal()));
  EXPECT_EQ(
      log_.count("operator.bootstrap",
                 {"\"actor\":\"_anonymous\"", "\"new_user\":\"_superadmin\"",
                  "\"new_credential\":\"" + admin->credential_id + "\"", "\"outcome\":\"ok\""}),
      1U);

  // Checked before the name.
  const auto again = bootstrap_superadmin(*store_, "", clock_);
  EXPECT_EQ(again.error().text(), "already_bootstrapped: a superadmin already exists");
}

TEST_F(BootstrapTest, the_display_name_is_checked) {
  for (const std::string& name : {std::string(), std::string("   "), std::string(65, 'x')}) {
    EXPECT_EQ(bootstrap_superadmin(*store_, name, clock_).error(), Errc::invalid_display_name);
  }
  EXPECT_TRUE(bootstrap_superadmin(*store_, std::string(64, 'x'), clock_));
}

TEST_F(BootstrapTest, HTTP_3_2_operator_token_creates_the_legacy_superadmin) {
  ASSERT_EQ(bootstrap_legacy(*store_, Secret("my operator token"), clock_).value(), true);
  ASSERT_TRUE(user("_legacy"));
  EXPECT_EQ(user("_legacy")->display_name, "operator_token shortcut");
  EXPECT_EQ(log_.count("operator.bootstrap_legacy", {"\"outcome\":\"ok\""}), 1U);
  BearerAuth auth(*store_, clock_);
  const auto identity = io_.run(auth.authenticate("Bearer my operator token"));
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->user_id, "_legacy");

  EXPECT_EQ(bootstrap_legacy(*store_, Secret("another"), clock_).value(), false);
  EXPECT_EQ(
      log_.count("operator.config_token_ignored", {"\"reason\":\"superadmin_already_exists\""}),
      1U);
  EXPECT_FALSE(io_.run(auth.authenticate("Bearer another")));
}

TEST_F(BootstrapTest, a_disabled_legacy_user_is_not_replaced_silently) {
  ASSERT_TRUE(bootstrap_legacy(*store_, Secret("first"), clock_).value());
  run_sql("UPDATE users SET disabled = 1");
  EXPECT_FALSE(bootstrap_legacy(*store_, Secret("second"), clock_));
  EXPECT_EQ(
      log_.count("operator.bootstrap_legacy", {"\"outcome\":\"fail\"", "\"level\":\"ERROR\""}), 1U);
  EXPECT_EQ(bootstrap_superadmin(*store_, "ops", clock_).error(), Errc::already_bootstrapped);
}

TEST_F(BootstrapTest, identities_are_counted) {
  ASSERT_TRUE(log_identities(*store_, "/x/state.db"));
  EXPECT_EQ(log_.count("operator.store_loaded", {"\"path\":\"/x/state.db\"", "\"users\":0",
                                                 "\"grants\":0", "\"superadmin_present\":false"}),
            1U);
}

}  // namespace
}  // namespace portunus::server::auth
