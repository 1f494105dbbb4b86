#include "server/web_auth/setup_token.hpp"

#include "common/base/rfc3339.hpp"
#include "server/store/setup_token_store.hpp"
#include "tests/server/web_auth/web_auth_fixture.hpp"

namespace portunus::server::web_auth {
namespace {

class SetupTokenTest : public WebAuthFixture {
 protected:
  std::string check(const Secret& token) {
    const auto done = store_->read_now([&](store::Connection& c) -> Result<> {
      return check_setup_token(c, token, clock_.now());
    });
    return refusal(done);
  }
  std::optional<store::SetupTokenRow> row() {
    return read([](store::Connection& c) { return store::find_setup_token(c); });
  }
};

TEST_F(SetupTokenTest, HTTP_3_6_a_token_of_43_characters_whose_hash_alone_is_kept) {
  const Secret token = rotate_setup_token(*store_, clock_).value().value();
  EXPECT_EQ(token.reveal().size(), 43U);
  ASSERT_TRUE(row());
  EXPECT_EQ(row()->token_hash, crypto::sha256_hex(token.reveal()));
  EXPECT_EQ(check(token), "none");
  for (const std::string& line : log_.lines()) EXPECT_FALSE(line.contains(token.reveal()));
}

TEST_F(SetupTokenTest, HTTP_3_6_is_valid_for_30_minutes_and_invalid_at_the_end_itself) {
  const Secret token = rotate_setup_token(*store_, clock_).value().value();
  clock_.advance(30min - 1us);
  EXPECT_EQ(check(token), "none");
  clock_.advance(1us);
  EXPECT_EQ(check(token), "setup_token_invalid");
}

TEST_F(SetupTokenTest, HTTP_3_6_a_new_one_replaces_the_old_one) {
  const Secret first = rotate_setup_token(*store_, clock_).value().value();
  clock_.advance(20min);
  const Secret second = rotate_setup_token(*store_, clock_).value().value();
  EXPECT_EQ(check(first), "setup_token_invalid");
  EXPECT_EQ(check(second), "none");
  clock_.advance(20min);
  EXPECT_EQ(check(second), "none") << "its time begins with it";
}

TEST_F(SetupTokenTest, HTTP_5_1_none_and_a_wrong_one) {
  EXPECT_EQ(check(Secret("x")), "setup_token_invalid") << "there is none at all";
  const Secret token = rotate_setup_token(*store_, clock_).value().value();
  EXPECT_EQ(check(Secret()), "setup_token_required");
  EXPECT_EQ(check(Secret(std::string(43, 'A'))), "setup_token_invalid");
  EXPECT_EQ(check(Secret(token.reveal() + "A")), "setup_token_invalid");
}

TEST_F(SetupTokenTest, HTTP_3_6_there_is_none_once_a_superadmin_exists) {
  ASSERT_TRUE(rotate_setup_token(*store_, clock_).value());
  add_admin();
  EXPECT_EQ(rotate_setup_token(*store_, clock_).value(), std::nullopt);
  EXPECT_FALSE(row()) << "the one of before is gone too";
  disable("admin");
  EXPECT_TRUE(rotate_setup_token(*store_, clock_).value()) << "only an enabled one counts";
}

TEST_F(SetupTokenTest, OBS_2_the_rotation_is_logged_with_its_end) {
  ASSERT_TRUE(rotate_setup_token(*store_, clock_).value());
  EXPECT_EQ(log_.count("operator.onboarding_setup_token_rotated",
                       {R"("level":"INFO")",
                        R"("expires_at":")" + format_rfc3339(clock_.now() + 30min) + "\""}),
            1U);
}

}  // namespace
}  // namespace portunus::server::web_auth
