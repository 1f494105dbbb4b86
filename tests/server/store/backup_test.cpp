#include "server/store/backup.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "server/store/store.hpp"
#include "tests/server/store/store_files.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"

namespace portunus::server::store {
namespace {

using test::TempDir;
using Names = std::vector<std::string>;

class BackupTest : public testing::Test {
 protected:
  std::filesystem::path database() const { return data_ / "state.db"; }
  Result<std::filesystem::path> save(const std::filesystem::path& out) {
    return backup(database(), out, kFilesNow);
  }

  TempDir data_;
  TempDir out_;
};

TEST_F(BackupTest, SQ_4_is_one_ordinary_database_file) {
  make_store(database());
  const auto written = save(out_ / "copy.db");
  ASSERT_TRUE(written) << written.error().text();
  EXPECT_EQ(*written, out_ / "copy.db");
  EXPECT_EQ(names_in(out_.path()), Names{"copy.db"});
  const std::string bytes = test::read_file(*written);
  EXPECT_TRUE(bytes.starts_with(std::string_view("SQLite format 3\0", 16)));
  EXPECT_EQ(bytes.substr(18, 2), "\x01\x01");  // no write-ahead log belongs to it
  EXPECT_EQ(number_in(*written, "SELECT count(*) FROM users"), 1);
  EXPECT_EQ(number_in(*written, "PRAGMA application_id"), kApplicationId);
}

TEST_F(BackupTest, SQ_4_a_directory_gets_a_dated_name) {
  make_store(database());
  const auto written = save(out_.path());
  ASSERT_TRUE(written) << written.error().text();
  EXPECT_EQ(*written, out_ / "portunus-state-20231114T221320Z.db");
  // The same second again: nothing is overwritten.
  EXPECT_EQ(save(out_.path()).error(), Errc::destination_exists);
  const auto made = save(out_.path().string() + "/a/b/");
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->filename(), "portunus-state-20231114T221320Z.db");
}

TEST_F(BackupTest, SQ_4_missing_parents_are_created) {
  make_store(database());
  ASSERT_TRUE(save(out_ / "a/b/c.db"));
  EXPECT_EQ(names_in(out_ / "a/b"), Names{"c.db"});
}

TEST_F(BackupTest, SQ_4_refusals) {
  const auto missing = save(out_ / "copy.db");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().text(), "source not found: " + database().string());
  test::write_file(out_ / "copy.db", "mine");
  // The source is looked at first.
  EXPECT_EQ(save(out_ / "copy.db").error(), Errc::source_not_found);
  make_store(database());
  const auto taken = save(out_ / "copy.db");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().text(), "destination exists: " + (out_ / "copy.db").string());
  EXPECT_EQ(test::read_file(out_ / "copy.db"), "mine");
  // Also a link to nowhere is somebody's.
  std::filesystem::create_symlink("/nowhere", out_ / "link.db");
  EXPECT_EQ(save(out_ / "link.db").error(), Errc::destination_exists);
  EXPECT_FALSE(save(""));
}

TEST_F(BackupTest, SQ_4_a_failed_copy_leaves_no_file) {
  test::write_file(database(), std::string(8192, 'x'));
  EXPECT_EQ(save(out_ / "copy.db").error(), Errc::not_a_database);
  test::write_file(database(), "");
  EXPECT_EQ(save(out_ / "copy.db").error(), Errc::not_a_database);
  std::filesystem::remove(database());
  connect(database()).run_script("CREATE TABLE mine (x)");
  EXPECT_EQ(save(out_ / "copy.db").error(), Errc::not_a_database);
  test::write_file(out_ / "file", "");
  EXPECT_FALSE(save(out_ / "file" / "copy.db"));
  EXPECT_EQ(names_in(out_.path()), Names{"file"});
}

TEST_F(BackupTest, SQ_4_a_full_disk_leaves_no_file) {
  make_store(database());
  {
    const SmallDisk disk(48 * 1024);
    const auto written = save(out_ / "copy.db");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error(), Errc::io) << written.error().text();
  }
  EXPECT_EQ(names_in(out_.path()), Names{});
  EXPECT_TRUE(save(out_ / "copy.db"));
}

TEST_F(BackupTest, SQ_2_needs_no_lock_and_migrates_nothing) {
  make_store(database(), 1);
  const auto lock = StoreLock::acquire(data_.path());
  ASSERT_TRUE(lock);
  const std::string before = test::read_file(database());
  const auto written = save(out_ / "copy.db");
  ASSERT_TRUE(written) << written.error().text();
  EXPECT_EQ(number_in(*written, "SELECT max(version) FROM schema_migrations"), 1);
  EXPECT_EQ(test::read_file(database()), before);
  // The store of a newer release is copied as well: that is what a downgrade needs.
  add_version(database(), 99);
  const auto newer = save(out_ / "newer.db");
  ASSERT_TRUE(newer) << newer.error().text();
  EXPECT_EQ(number_in(*newer, "SELECT max(version) FROM schema_migrations"), 99);
}

TEST_F(BackupTest, SQ_4_the_copy_is_as_readable_as_the_store) {
  make_store(database());
  std::filesystem::permissions(database(), std::filesystem::perms(0640));
  const auto written = save(out_ / "copy.db");
  ASSERT_TRUE(written);
  EXPECT_EQ(std::filesystem::status(*written).permissions(), std::filesystem::perms(0640));
}

TEST_F(BackupTest, SQ_4_what_is_only_in_the_log_is_copied) {
  auto store = Store::open({.path = database()});
  ASSERT_TRUE(store);
  ASSERT_TRUE((*store)->write_now([](Connection& c) {
    return insert_user(c, {.user_id = "bob",
                           .display_name = "Bob",
                           .role = Role::user,
                           .disabled = false,
                           .created_at = kFilesNow});
  }));
  ASSERT_GT(std::filesystem::file_size(data_ / "state.db-wal"), 0U);
  const auto written = save(out_ / "copy.db");
  ASSERT_TRUE(written) << written.error().text();
  EXPECT_EQ(number_in(*written, "SELECT count(*) FROM users"), 1);
}

/// Two rows of one transaction: a copy has both or neither.
Result<> write_pair(Connection& c, int n) {
  for (const char* half : {"a", "b"}) {
    const auto done = insert_user(c, {.user_id = half + std::to_string(n),
                                      .display_name = "x",
                                      .role = Role::user,
                                      .disabled = false,
                                      .created_at = kFilesNow});
    if (!done) return done;
  }
  return {};
}

TEST_F(BackupTest, SQ_8_1_writers_go_on_and_the_copy_is_one_moment) {
  auto store = Store::open({.path = database()});
  ASSERT_TRUE(store);
  std::atomic<int> pairs{0};
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    while (!stop) {
      const int n = pairs;
      if (!(*store)->write_now([n](Connection& c) { return write_pair(c, n); })) break;
      pairs = n + 1;
    }
  });
  std::int64_t last = 0;
  for (int round = 0; round < 8; ++round) {
    const int before = pairs;
    const auto written = save(out_ / (std::to_string(round) + ".db"));
    EXPECT_TRUE(written) << written.error().text();
    if (!written) break;
    Connection copy = connect(*written);
    Query check(copy, "PRAGMA integrity_check");
    check.step();
    EXPECT_EQ(check.text(0), "ok");
    const std::int64_t a = number(copy, "SELECT count(*) FROM users WHERE user_id GLOB 'a*'");
    EXPECT_EQ(a, number(copy, "SELECT count(*) FROM users WHERE user_id GLOB 'b*'"));
    EXPECT_GE(a, before);
    EXPECT_GE(a, last);
    last = a;
    // The writer was not stopped by it.
    EXPECT_TRUE(test::eventually([&] { return pairs > before; }));
  }
  stop = true;
  writer.join();
  EXPECT_EQ((*store)->busy_total(), 0U);
}

}  // namespace
}  // namespace portunus::server::store
