#include <regex>

#include "server/store/store.hpp"
#include "tests/server/cli/cli_fixture.hpp"
#include "tests/support/files.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::server::cli {
namespace {

using test::LogCapture;

class StoreCommandTest : public CliTest {
 protected:
  void make_store() { ASSERT_EQ(run_in_dir({"bootstrap-superadmin"}).exit, 0); }
  std::string in_dir(const std::string& name) const { return (dir_ / name).string(); }
};

TEST_F(StoreCommandTest, CLI_2_2_backup_says_where_the_copy_is) {
  make_store();
  const LogCapture log;
  expect(run_in_dir({"backup", "--out", in_dir("copy.db")}), 0,
         "backup=" + in_dir("copy.db") + "\n", "");
  EXPECT_EQ(log.count("cli.backup_complete",
                      {"\"src\":\"" + in_dir("state.db") + "\"",
                       "\"dst\":\"" + in_dir("copy.db") + "\"", "\"outcome\":\"ok\""}),
            1U);
  // The clock of the fixture stands still.
  expect(run_in_dir({"backup", "--out", dir_.string()}), 0,
         "backup=" + in_dir("portunus-state-20231114T221320Z.db") + "\n", "");
}

TEST_F(StoreCommandTest, CLI_2_2_backup_refusals) {
  expect(run_in_dir({"backup", "--out", in_dir("copy.db")}), 5, "",
         "error: source not found: " + in_dir("state.db") + "\n");
  make_store();
  test::write_file(dir_ / "copy.db", "mine");
  expect(run_in_dir({"backup", "--out", in_dir("copy.db")}), 6, "",
         "error: destination exists: " + in_dir("copy.db") + "\n");
  const Ran below_a_file = run_in_dir({"backup", "--out", in_dir("copy.db/x.db")});
  EXPECT_EQ(below_a_file.exit, 1);
  EXPECT_EQ(below_a_file.out, "");
  EXPECT_TRUE(below_a_file.err.starts_with("error: ")) << below_a_file.err;
}

TEST_F(StoreCommandTest, CLI_2_1_backup_works_while_the_lock_is_held) {
  make_store();
  const auto held = store::StoreLock::acquire(dir_);
  ASSERT_TRUE(held);
  EXPECT_EQ(run_in_dir({"backup", "--out", in_dir("copy.db")}).exit, 0);
}

TEST_F(StoreCommandTest, CLI_2_2_restore_brings_the_store_back) {
  make_store();
  ASSERT_EQ(run_in_dir({"backup", "--out", in_dir("copy.db")}).exit, 0);
  ASSERT_EQ(run_in_dir({"reset", "--confirm"}).exit, 0);
  const LogCapture log;
  expect(run_in_dir({"restore", "--in", in_dir("copy.db")}), 0,
         "restore=ok data_dir=" + dir_.string() + "\n", "");
  EXPECT_EQ(log.count("cli.restore_complete",
                      {"\"src\":\"" + in_dir("copy.db") + "\"",
                       "\"dst\":\"" + in_dir("state.db") + "\"", "\"outcome\":\"ok\""}),
            1U);
  expect(run_in_dir({"bootstrap-superadmin"}), 2, "",
         "error: already_bootstrapped (a superadmin already exists)\n");
  // A data directory is made where there is none.
  expect(run({"--data-dir", in_dir("other"), "restore", "--in", in_dir("copy.db")}), 0,
         "restore=ok data_dir=" + in_dir("other") + "\n", "");
}

TEST_F(StoreCommandTest, CLI_2_2_restore_refuses_in_the_order_5_7_6_75) {
  make_store();
  const auto held = store::StoreLock::acquire(dir_);
  ASSERT_TRUE(held);
  const LogCapture log;
  expect(run_in_dir({"restore", "--in", in_dir("copy.db")}), 5, "",
         "error: source not found: " + in_dir("copy.db") + "\n");
  test::write_file(dir_ / "copy.db", "SQLite format 3");
  expect(run_in_dir({"restore", "--in", in_dir("copy.db")}), 7, "",
         "error: not a sqlite file: " + in_dir("copy.db") + "\n");
  std::filesystem::remove(dir_ / "copy.db");
  ASSERT_EQ(run_in_dir({"backup", "--out", in_dir("copy.db")}).exit, 0);
  expect(run_in_dir({"restore", "--in", in_dir("copy.db")}), 6, "",
         "error: destination not empty: " + in_dir("state.db") + "\n");
  expect(run_in_dir({"restore", "--in", in_dir("copy.db"), "--force"}), 75, "",
         "error: store_in_use: " + in_dir("state.db") + "\n");
  EXPECT_EQ(log.count("cli.restore_failed", {"\"src\":\"" + in_dir("copy.db") + "\""}), 4U);
  // No data directory is made for a source that is none.
  EXPECT_EQ(run({"--data-dir", in_dir("other"), "restore", "--in", in_dir("none.db")}).exit, 5);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "other"));
}

TEST_F(StoreCommandTest, CLI_2_2_reset_shows_first_and_does_it_when_told) {
  make_store();
  constexpr auto kProceed = "\ndry-run: pass --confirm to proceed\n";
  expect(run_in_dir({"reset"}), 0, "would remove: " + in_dir("state.db") + kProceed, "");
  EXPECT_TRUE(std::filesystem::exists(dir_ / "state.db"));
  const LogCapture log;
  expect(run_in_dir({"reset", "--confirm"}), 0, "", "");
  EXPECT_FALSE(std::filesystem::exists(dir_ / "state.db"));
  EXPECT_FALSE(std::filesystem::exists(dir_ / "state.db.lock"));
  expect(run_in_dir({"reset", "--confirm"}), 0, "", "");
  const std::string where = "\"data_dir\":\"" + dir_.string() + "\"";
  EXPECT_EQ(log.count("cli.reset_complete", {where, "\"outcome\":\"ok\""}), 1U);
  EXPECT_EQ(log.count("cli.reset_complete", {where, "\"outcome\":\"noop\""}), 1U);
}

TEST_F(StoreCommandTest, CLI_2_2_reset_that_leaves_something_is_no_success) {
  make_store();
  std::filesystem::create_directory(dir_ / "state.db-shm");
  const LogCapture log;
  const std::string line = "error: Is a directory: remove " + in_dir("state.db-shm") + "\n";
  expect(run_in_dir({"reset", "--confirm"}), 1, "", line);
  expect(run_in_dir({"reset", "--confirm"}), 1, "", line);
  EXPECT_EQ(log.count("cli.reset_complete", {}), 0U);
}

TEST_F(StoreCommandTest, CLI_2_2_reset_refusals) {
  {
    make_store();
    const auto held = store::StoreLock::acquire(dir_);
    ASSERT_TRUE(held);
    expect(run_in_dir({"reset", "--confirm"}), 75, "",
           "error: store_in_use: " + in_dir("state.db") + "\n");
    EXPECT_EQ(run_in_dir({"reset"}).exit, 0);  // the dry run needs no lock
  }
  test::write_file(dir_ / "state.db", "notes");
  expect(run_in_dir({"reset", "--confirm"}), 7, "",
         "error: not a sqlite file: " + in_dir("state.db") + "\n");
  EXPECT_EQ(test::read_file(dir_ / "state.db"), "notes");
}

}  // namespace
}  // namespace portunus::server::cli
