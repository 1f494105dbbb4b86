#include <regex>
#include <set>

#include "common/crypto/digest.hpp"
#include "server/auth/bearer_auth.hpp"
#include "server/auth/password.hpp"
#include "server/store/audit_store.hpp"
#include "server/store/password_store.hpp"
#include "server/store/setup_token_store.hpp"
#include "server/store/store.hpp"
#include "server/store/user_store.hpp"
#include "tests/server/cli/cli_fixture.hpp"

namespace portunus::server::cli {
namespace {

constexpr auto kPassword = "correct horse battery";

class PasswordCommandTest : public CliTest {
 protected:
  void add_user(const std::string& id, store::Role role = store::Role::user) {
    const auto store = open();
    EXPECT_TRUE(store->write_now([&](store::Connection& c) {
      return store::insert_user(c, {.user_id = id,
                                    .display_name = id,
                                    .role = role,
                                    .disabled = false,
                                    .created_at = clock_.now()});
    }));
  }
  std::unique_ptr<store::Store> open() {
    return store::Store::open({.path = dir_ / "state.db", .readers = 1}).value();
  }
  std::optional<store::PasswordRow> password_of(const std::string& id) {
    return open()
        ->read_now([&](store::Connection& c) { return store::find_password(c, id); })
        .value();
  }
  bool opens(const std::string& id, const std::string& password) {
    const auto row = password_of(id);
    return row && auth::verify_password(row->password_hash, Secret(password)).value();
  }
};

TEST_F(PasswordCommandTest, CLI_2_2_reset_with_the_first_line_of_stdin) {
  add_user("alice");
  for (const char* input : {"correct horse battery\nsecond line\n", "correct horse battery\r\n",
                            "correct horse battery"}) {
    stdin_ = input;
    expect(run_in_dir({"reset-password", "alice", "--password-stdin"}), 0,
           "password_reset=ok user_id=alice sessions_revoked=0 api_tokens_revoked=0\n", "");
    EXPECT_TRUE(opens("alice", kPassword)) << input;
    EXPECT_FALSE(password_of("alice")->change_required);
  }
}

TEST_F(PasswordCommandTest, CLI_2_2_reset_with_a_temporary_password) {
  add_user("alice");
  const Ran ran = run_in_dir({"reset-password", "alice", "--temporary"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  std::smatch parts;
  const std::regex shape(
      "password_reset=ok user_id=alice sessions_revoked=0 api_tokens_revoked=0\n"
      "temporary_password=([A-Za-z0-9_-]{43})\n");
  ASSERT_TRUE(std::regex_match(ran.out, parts, shape)) << ran.out;
  EXPECT_TRUE(opens("alice", parts[1]));
  EXPECT_TRUE(password_of("alice")->change_required);
}

TEST_F(PasswordCommandTest, CLI_2_2_reset_asks_twice_on_the_terminal) {
  add_user("alice");
  answers_ = {Secret(kPassword), Secret(kPassword)};
  EXPECT_EQ(run_in_dir({"reset-password", "alice"}).exit, 0);
  EXPECT_EQ(prompts_, (std::vector<std::string>{"New password: ", "Confirm password: "}));
  EXPECT_TRUE(opens("alice", kPassword));
  answers_ = {Secret(kPassword), Secret("another password")};
  expect(run_in_dir({"reset-password", "alice"}), 3, "", "error: password_mismatch\n");
  answers_ = {std::unexpected("no terminal")};
  expect(run_in_dir({"reset-password", "alice"}), 1, "", "error: read_password_tty: no terminal\n");
}

TEST_F(PasswordCommandTest, CLI_2_2_reset_revokes_tokens_unless_told_to_keep_them) {
  const auto admin = auth::bootstrap_superadmin(*open(), "ops", clock_);
  ASSERT_TRUE(admin);
  stdin_ = kPassword;
  expect(run_in_dir({"reset-password", "_superadmin", "--password-stdin", "--keep-api-tokens"}), 0,
         "password_reset=ok user_id=_superadmin sessions_revoked=0 api_tokens_revoked=0\n", "");
  expect(run_in_dir({"reset-password", "_superadmin", "--password-stdin"}), 0,
         "password_reset=ok user_id=_superadmin sessions_revoked=0 api_tokens_revoked=1\n", "");
}

TEST_F(PasswordCommandTest, CLI_2_2_reset_writes_an_audit_row_without_the_password) {
  add_user("alice");
  expect(run_in_dir({"reset-password", "nobody", "--temporary"}), 8, "",
         "error: user_not_found: nobody\n");
  EXPECT_EQ(run_in_dir({"reset-password", "alice", "--temporary"}).exit, 0);
  const auto rows =
      open()
          ->read_now([](store::Connection& c) { return store::list_audit(c, {}, {}, 10); })
          .value();
  ASSERT_EQ(rows.size(), 1U);
  store::AuditRow wanted;
  wanted.sequence = rows[0].sequence;
  wanted.at = clock_.now();
  wanted.actor = "_local_cli";
  wanted.role = "superadmin";
  wanted.method = "CLI";
  wanted.path = "reset-password alice";
  wanted.action = "operator.password_reset";
  wanted.resource_kind = "user";
  wanted.resource_value = "alice";
  wanted.details =
      R"({"sessions_revoked":0,"api_tokens_revoked":0,"temporary_password_generated":true,)"
      R"("password_change_required":true,"api_tokens_kept":false,"source":"local_cli"})";
  EXPECT_EQ(rows[0], wanted);
}

TEST_F(PasswordCommandTest, CLI_2_2_reset_refusals) {
  add_user("alice");
  for (const char* bad : {"Alice", "1", "a b"}) {
    expect(run_in_dir({"reset-password", bad, "--temporary"}), 3, "",
           std::string("error: invalid_user_id: ") + bad + "\n");
  }
  expect(run_in_dir({"reset-password", "nobody", "--temporary"}), 8, "",
         "error: user_not_found: nobody\n");
  // A leading _ is taken as reserved, whatever follows.
  expect(run_in_dir({"reset-password", "_Any Thing", "--temporary"}), 8, "",
         "error: user_not_found: _Any Thing\n");
  stdin_ = "elevenchars";
  expect(run_in_dir({"reset-password", "alice", "--password-stdin"}), 3, "",
         "error: password_too_short (at least 12 characters)\n");
  stdin_ = std::string(1025, 'x');
  expect(run_in_dir({"reset-password", "alice", "--password-stdin"}), 3, "",
         "error: password_too_long (at most 1024 bytes)\n");
  stdin_ = "";
  const Ran none = run_in_dir({"reset-password", "alice", "--password-stdin"});
  EXPECT_EQ(none.exit, 1);
  EXPECT_TRUE(none.err.starts_with("error: read_password_stdin: ")) << none.err;
  stdin_ = "correct horse \xff battery";
  const Ran broken = run_in_dir({"reset-password", "alice", "--password-stdin"});
  EXPECT_EQ(broken.exit, 1);
  EXPECT_TRUE(broken.err.starts_with("error: read_password_stdin: ")) << broken.err;
  EXPECT_FALSE(password_of("alice"));
}

TEST_F(PasswordCommandTest, CLI_2_2_two_sources_of_a_password_are_a_usage_error) {
  EXPECT_EQ(run_in_dir({"reset-password", "alice", "--password-stdin", "--temporary"}).exit, 2);
  EXPECT_EQ(run_in_dir({"reset-password", "alice", "--temporary", "--password-stdin"}).exit, 2);
  EXPECT_EQ(run_in_dir({"reset-password"}).exit, 2);
}

TEST_F(PasswordCommandTest, CLI_2_2_onboarding_token) {
  const std::regex shape("setup_token=([A-Za-z0-9_-]{43})\n");
  std::set<std::string> tokens;
  for (int i = 0; i < 2; ++i) {
    const Ran ran = run_in_dir({"onboarding-token"});
    EXPECT_EQ(ran.exit, 0) << ran.err;
    std::smatch parts;
    ASSERT_TRUE(std::regex_match(ran.out, parts, shape)) << ran.out;
    tokens.insert(parts[1]);
    const auto kept =
        open()->read_now([](store::Connection& c) { return store::find_setup_token(c); });
    EXPECT_EQ((*kept)->token_hash, crypto::sha256_hex(parts[1].str()));
    EXPECT_EQ((*kept)->expires_at, clock_.now() + std::chrono::minutes(30));
  }
  EXPECT_EQ(tokens.size(), 2U);
  add_user("root", store::Role::superadmin);
  expect(run_in_dir({"onboarding-token"}), 2, "",
         "error: already_bootstrapped (an enabled superadmin already exists)\n");
}

TEST_F(PasswordCommandTest, CLI_2_1_both_need_the_store_for_themselves) {
  const auto held = store::StoreLock::acquire(dir_);
  ASSERT_TRUE(held);
  const std::string in_use = "error: store_in_use: " + (dir_ / "state.db").string() + "\n";
  expect(run_in_dir({"onboarding-token"}), 75, "", in_use);
  expect(run_in_dir({"reset-password", "alice", "--temporary"}), 75, "", in_use);
  expect(run_in_dir({"reset-password", "alice"}), 75, "", in_use);
  EXPECT_TRUE(prompts_.empty()) << "nobody is asked in vain";
}

}  // namespace
}  // namespace portunus::server::cli
