#include "server/store/restore.hpp"

#include <gtest/gtest.h>

#include "server/store/backup.hpp"
#include "server/store/database_file.hpp"
#include "server/store/quota_store.hpp"
#include "server/store/rule_store.hpp"
#include "server/store/store.hpp"
#include "tests/server/store/store_files.hpp"
#include "tests/support/files.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/temp_dir.hpp"

namespace portunus::server::store {
namespace {

using test::LogCapture;
using test::TempDir;
using Names = std::vector<std::string>;

class RestoreTest : public testing::Test {
 protected:
  std::filesystem::path database() const { return data_ / "state.db"; }
  std::filesystem::path source() const { return from_ / "backup.db"; }
  Result<> load(bool replace = false) {
    return restore(
        {.source = source(), .data_dir = data_.path(), .replace = replace, .now = kFilesNow});
  }
  /// A backup as one file, without what SQLite keeps beside it.
  void make_source(std::size_t versions, const std::string& script = {}) {
    make_store(source(), versions);
    Connection connection = connect(source());
    if (!script.empty()) connection.run_script(script);
    connection.leave_wal();
  }
  void make_source() { make_source(embedded_migrations().size()); }
  /// A refused restore: the old store is as it was, byte for byte, and nothing lies beside it.
  void expect_refused(const Error& expected_code, bool replace = true) {
    const std::string before = test::read_file(database());
    const Names names = names_in(data_.path());
    const auto done = load(replace);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, expected_code.code) << done.error().text();
    EXPECT_EQ(test::read_file(database()), before);
    Names after = names_in(data_.path());
    std::erase(after, "state.db.lock");
    Names without_lock = names;
    std::erase(without_lock, "state.db.lock");
    EXPECT_EQ(after, without_lock);
  }

  /// A store of two users as a process leaves it that dies in the middle of a large transaction:
  /// half of it stands in the file, and how to undo that in the journal.
  void make_torn_store() {
    const TempDir killed;
    const auto path = killed / "state.db";
    make_store(path);
    Connection writer = connect(path);
    writer.leave_wal();
    writer.run_script(
        "INSERT INTO users (user_id, display_name, role, disabled, created_at) "
        "VALUES ('bob', 'Bob', 'user', 0, 5);"
        "CREATE TABLE filler (x);"
        "INSERT INTO filler WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        "WHERE i < 200) SELECT randomblob(3000) FROM n;"
        "PRAGMA cache_size = 5;"
        "BEGIN IMMEDIATE; DELETE FROM users; UPDATE filler SET x = randomblob(3000);");
    std::filesystem::copy_file(path, database());
    std::filesystem::copy_file(beside(path, "-journal"), beside(database(), "-journal"));
    writer.rollback();
    // Without its journal the file is not what any transaction left.
    test::write_file(killed / "torn.db", test::read_file(database()));
    ASSERT_NE(test::read_file(killed / "torn.db"), test::read_file(path));
    ASSERT_EQ(number_in(killed / "torn.db", "SELECT count(*) FROM users"), 0);
  }

  TempDir data_;
  TempDir from_;
};

TEST_F(RestoreTest, SQ_4_makes_a_store_in_an_empty_directory) {
  make_source();
  const auto done = load();
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(names_in(data_.path()), (Names{"state.db", "state.db.lock"}));
  auto store = Store::open({.path = database()});
  ASSERT_TRUE(store) << store.error().text();
  EXPECT_EQ((*store)->read_now([](Connection& c) { return count_users(c); }).value(), 1);
  EXPECT_EQ(names_in(from_.path()), Names{"backup.db"});
}

TEST_F(RestoreTest, SQ_4_a_store_is_replaced_only_when_told_to) {
  make_source();
  make_store(database());
  connect(database()).run_script("DELETE FROM users");
  const auto kept = load();
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().text(), "destination not empty: " + database().string());
  EXPECT_EQ(number_in(database(), "SELECT count(*) FROM users"), 0);
  ASSERT_TRUE(load(true));
  EXPECT_EQ(number_in(database(), "SELECT count(*) FROM users"), 1);
}

TEST_F(RestoreTest, CLI_2_2_the_log_of_the_old_store_does_not_reach_the_new_one) {
  make_source();
  test::write_file(data_ / "state.db-wal", "left by somebody");
  test::write_file(data_ / "state.db-shm", "left by somebody");
  ASSERT_TRUE(load());
  EXPECT_EQ(names_in(data_.path()), (Names{"state.db", "state.db.lock"}));
  EXPECT_EQ(number_in(database(), "SELECT count(*) FROM users"), 1);
}

TEST_F(RestoreTest, CLI_2_2_the_journal_of_the_old_store_does_not_reach_the_new_one) {
  make_source();
  make_torn_store();
  const auto done = load(true);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(names_in(data_.path()), (Names{"state.db", "state.db.lock"}));
  EXPECT_EQ(number_in(database(), "SELECT count(*) FROM users"), 1);
  EXPECT_EQ(number_in(database(),
                      "SELECT count(*) FROM pragma_integrity_check "
                      "WHERE integrity_check = 'ok'"),
            1);
}

TEST_F(RestoreTest, SQ_4_a_refusal_leaves_no_half_of_a_transaction_in_the_old_store) {
  make_source();
  make_torn_store();
  // Cannot be removed as a file, so the restore is refused after it has seen to the old store.
  std::filesystem::create_directory(beside(database(), "-shm"));
  ASSERT_FALSE(load(true));
  std::filesystem::remove(beside(database(), "-shm"));
  EXPECT_EQ(number_in(database(), "SELECT count(*) FROM users"), 2);
  EXPECT_EQ(number_in(database(), "SELECT count(*) FROM filler"), 200);
  EXPECT_EQ(number_in(database(),
                      "SELECT count(*) FROM pragma_integrity_check "
                      "WHERE integrity_check = 'ok'"),
            1);
}

TEST_F(RestoreTest, SQ_4_needs_the_lock) {
  make_source();
  const auto lock = StoreLock::acquire(data_.path());
  ASSERT_TRUE(lock);
  EXPECT_EQ(load().error().text(), "store_in_use: " + database().string());
  EXPECT_EQ(names_in(data_.path()), Names{"state.db.lock"});
  // An occupied place is found first.
  make_store(database());
  EXPECT_EQ(load().error(), Errc::destination_not_empty);
}

TEST_F(RestoreTest, SQ_4_a_newer_backup_is_refused) {
  make_source(embedded_migrations().size(),
              "INSERT INTO schema_migrations VALUES (99, 'x', 'x', 'x')");
  make_store(database());
  const LogCapture log;
  expect_refused(Errc::backup_too_new);
  const std::string supported = std::to_string(Store::supported_schema_version());
  EXPECT_EQ(load(true).error().text(),
            "schema_too_new: backup at version 99 > supported " + supported);
  EXPECT_GE(log.count("startup.schema_version_too_new",
                      {"\"on_disk\":99", "\"binary_supports\":" + supported}),
            1U);
}

TEST_F(RestoreTest, SQ_4_a_migration_that_fails_is_refused) {
  // The table that the second migration wants to make is there.
  make_source(1, "CREATE TABLE rule_targets (x)");
  make_store(database());
  expect_refused(Errc::migration_failed);
  EXPECT_TRUE(load(true).error().text().starts_with("migration_failed: migration 2 ("));
}

TEST_F(RestoreTest, SQ_4_what_is_no_store_is_refused) {
  make_store(database());
  for (const char* script : {"CREATE TABLE mine (x)", "PRAGMA application_id = 77"}) {
    std::filesystem::remove(source());
    connect(source()).run_script(script);
    expect_refused(Errc::not_a_database);
  }
}

TEST_F(RestoreTest, SQ_4_a_damaged_backup_is_refused) {
  make_source();
  make_store(database());
  const std::string whole = test::read_file(source());
  // A page in the middle, and the second half.
  std::string damaged = whole;
  damaged.replace(whole.size() / 8192 * 4096, 4096, std::string(4096, '\xFF'));
  test::write_file(source(), damaged);
  expect_refused(Errc::not_a_database);
  test::write_file(source(), whole.substr(0, whole.size() / 2));
  expect_refused(Errc::not_a_database);
  test::write_file(source(), whole);
  EXPECT_TRUE(load(true));
}

TEST_F(RestoreTest, SQ_4_a_full_disk_leaves_the_old_store) {
  make_source();
  make_store(database());
  {
    const SmallDisk disk(48 * 1024);
    const std::string before = test::read_file(database());
    ASSERT_FALSE(load(true));
    EXPECT_EQ(test::read_file(database()), before);
  }
  EXPECT_EQ(names_in(data_.path()), (Names{"state.db", "state.db.lock"}));
  EXPECT_TRUE(load(true));
}

TEST_F(RestoreTest, SQ_4_a_source_with_a_log_is_read_with_it) {
  // The files of a data directory whose server was killed.
  TempDir killed;
  {
    auto store = Store::open({.path = killed / "state.db"});
    ASSERT_TRUE(store);
    ASSERT_TRUE((*store)->write_now([](Connection& c) {
      return insert_user(c, {.user_id = "bob",
                             .display_name = "Bob",
                             .role = Role::user,
                             .disabled = false,
                             .created_at = kFilesNow});
    }));
    std::filesystem::copy_file(killed / "state.db", source());
    std::filesystem::copy_file(killed / "state.db-wal", beside(source(), "-wal"));
  }
  const auto done = load();
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(number_in(database(), "SELECT count(*) FROM users WHERE user_id = 'bob'"), 1);
}

TEST_F(RestoreTest, SQ_4_a_store_can_be_restored_onto_itself) {
  make_store(database());
  const auto done =
      restore({.source = database(), .data_dir = data_.path(), .replace = true, .now = kFilesNow});
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(number_in(database(), "SELECT count(*) FROM users"), 1);
}

TEST(CheckSqliteFile, CLI_2_2_judges_the_first_16_bytes) {
  const TempDir dir;
  const auto path = dir / "file";
  EXPECT_EQ(check_sqlite_file(path).error().text(), "source not found: " + path.string());
  for (const std::string& bytes : {std::string(), std::string("SQLite format 3"),
                                   std::string("SQLite format 4\0", 16), std::string(100, 'x')}) {
    test::write_file(path, bytes);
    EXPECT_EQ(check_sqlite_file(path).error().text(), "not a sqlite file: " + path.string());
  }
  EXPECT_EQ(check_sqlite_file(dir.path()).error(), Errc::not_sqlite);
  test::write_file(path, std::string("SQLite format 3\0", 16));
  EXPECT_TRUE(check_sqlite_file(path));
}

/// What each release's schema could hold, beside the user that make_store adds.
std::string rows_of_release(std::size_t versions) {
  std::string rows =
      "INSERT INTO clients (client_id, name, token_hash, provisioned_at) VALUES "
      "('00000000000000000000000001', 'edge-01', '" +
      std::string(64, 'a') + "', 7);";
  if (versions == 1) {
    rows +=
        "INSERT INTO rules VALUES (3, '00000000000000000000000001', 'edge-01', 'alice', 'tcp', "
        "8080, '10.0.0.1', 80, 1, 'active', NULL, 10, 20);";
  } else {
    rows +=
        "INSERT INTO rules (rule_id, client_id, client_name, owner_id, protocol, listen_port, "
        "prefer_ipv6, state, created_at, last_state_change_at) VALUES "
        "(3, '00000000000000000000000001', 'edge-01', 'alice', 'tcp', 8080, 1, 'active', 10, 20);"
        "INSERT INTO rule_targets (rule_id, row, host, port, priority) VALUES "
        "(3, 0, '10.0.0.1', 80, 0);";
  }
  if (versions >= 3) {
    rows +=
        "INSERT INTO traffic_quotas (user_id, client_id, client_name, monthly_bytes, "
        "billing_anchor, current_period_started_at, current_period_bytes_used, created_at, "
        "updated_at) VALUES "
        "('alice', '00000000000000000000000001', 'edge-01', 1000, 0, 0, 250, 1, 1);";
  }
  return rows;
}

class EverySchema : public testing::TestWithParam<std::size_t> {};

/// A backup of each earlier release, with its rows, becomes a store of this one.
TEST_P(EverySchema, SQ_2_is_migrated_by_restore_and_by_opening) {
  const std::size_t versions = GetParam();
  const TempDir data;
  const TempDir from;
  make_store(from / "old.db", versions);
  connect(from / "old.db").run_script(rows_of_release(versions));
  const auto saved = backup(from / "old.db", from / "backup.db", kFilesNow);
  ASSERT_TRUE(saved) << saved.error().text();
  const auto restored =
      restore({.source = *saved, .data_dir = data.path(), .replace = false, .now = kFilesNow});
  ASSERT_TRUE(restored) << restored.error().text();
  EXPECT_EQ(number_in(data / "state.db", "SELECT max(version) FROM schema_migrations"),
            Store::supported_schema_version());

  for (const auto& path : {data / "state.db", from / "old.db"}) {
    auto store = Store::open({.path = path});
    ASSERT_TRUE(store) << store.error().text();
    ASSERT_TRUE((*store)->read_now([&](Connection& c) -> Result<> {
      EXPECT_EQ(number(c, "SELECT count(*) FROM schema_migrations"),
                Store::supported_schema_version());
      EXPECT_EQ(number(c, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
      EXPECT_EQ(count_users(c).value(), 1);
      const auto rules = list_rules(c);
      EXPECT_TRUE(rules && rules->size() == 1);
      if (rules && rules->size() == 1) {
        const model::RuleSpec& spec = rules->front().spec;
        EXPECT_EQ(spec.id, RuleId{3});
        EXPECT_EQ(spec.listen_port, 8080);
        EXPECT_EQ(spec.targets, (std::vector<model::Target>{{"10.0.0.1", 80}}));
        EXPECT_EQ(spec.owner_id, "alice");
      }
      EXPECT_EQ(
          number(c, "SELECT coalesce(sum(current_period_bytes_used), -1) FROM traffic_quotas"),
          versions >= 3 ? 250 : -1);
      return {};
    }));
  }
}

INSTANTIATE_TEST_SUITE_P(Releases, EverySchema,
                         testing::Range<std::size_t>(1, embedded_migrations().size() + 1),
                         [](const auto& param) { return "V" + std::to_string(param.param); });

}  // namespace
}  // namespace portunus::server::store
