#include <fstream>
#include <regex>
#include <set>

#include "server/store/store.hpp"
#include "tests/server/cli/cli_fixture.hpp"

namespace portunus::server::cli {
namespace {

using BootstrapCommandTest = CliTest;

TEST_F(BootstrapCommandTest, GenTokenPrints43Characters) {
  std::set<std::string> seen;
  for (int i = 0; i < 10; ++i) {
    const Ran ran = run({"gen-token"});
    EXPECT_EQ(ran.exit, 0);
    EXPECT_EQ(ran.err, "");
    EXPECT_TRUE(std::regex_match(ran.out, std::regex("[A-Za-z0-9_-]{43}\n"))) << ran.out;
    seen.insert(ran.out);
  }
  EXPECT_EQ(seen.size(), 10U);
}

TEST_F(BootstrapCommandTest, GenTokenNeedsNoStore) {
  const auto held = store::StoreLock::acquire(dir_);
  ASSERT_TRUE(held);
  EXPECT_EQ(run_in_dir({"gen-token"}).exit, 0);
}

TEST_F(BootstrapCommandTest, CreatesTheSuperadminOnce) {
  const Ran ran = run_in_dir({"bootstrap-superadmin", "--name", " On call "});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  EXPECT_TRUE(std::regex_match(
      ran.out, std::regex("superadmin user_id=_superadmin token=[A-Za-z0-9_-]{43}\n")))
      << ran.out;
  constexpr auto kAgain = "error: already_bootstrapped (a superadmin already exists)\n";
  expect(run_in_dir({"bootstrap-superadmin"}), 2, "", kAgain);
  // Checked before the name is.
  expect(run_in_dir({"bootstrap-superadmin", "--name", ""}), 2, "", kAgain);
}

TEST_F(BootstrapCommandTest, RefusesABadName) {
  for (const std::string& name : {std::string(), std::string("  "), std::string(65, 'a')}) {
    expect(run_in_dir({"bootstrap-superadmin", "--name", name}), 3, "",
           "error: invalid_display_name (length must be 1..=64 chars)\n");
  }
  EXPECT_EQ(run_in_dir({"bootstrap-superadmin", "--name", std::string(64, 'a')}).exit, 0);
}

TEST_F(BootstrapCommandTest, NeedsTheStoreForItself) {
  variables_["PORTUNUS_OPERATOR_TOKEN"] = "tok";
  const auto held = store::StoreLock::acquire(dir_);
  ASSERT_TRUE(held);
  expect(run_in_dir({"bootstrap-superadmin"}), 75, "",
         "error: store_in_use: " + (dir_ / "state.db").string() + "\n");
}

TEST_F(BootstrapCommandTest, ADirectoryThatCannotBe) {
  std::ofstream(dir_ / "file") << "x";
  const Ran ran = run({"bootstrap-superadmin", "--data-dir", (dir_ / "file").string()});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_TRUE(ran.err.starts_with("error: ")) << ran.err;
}

TEST_F(BootstrapCommandTest, TheDataDirectoryComesFromTheEnvironmentToo) {
  variables_["STATE_DIRECTORY"] = (dir_ / "state").string();
  EXPECT_EQ(run({"bootstrap-superadmin"}).exit, 0);
  EXPECT_TRUE(std::filesystem::exists(dir_ / "state" / "state.db"));
}

}  // namespace
}  // namespace portunus::server::cli
