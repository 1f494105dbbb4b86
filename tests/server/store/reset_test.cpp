#include "server/store/reset.hpp"

#include <gtest/gtest.h>

#include "server/store/store.hpp"
#include "tests/server/store/store_files.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"

namespace portunus::server::store {
namespace {

using test::TempDir;
using Names = std::vector<std::string>;

TEST(Reset, SQ_4_removes_the_store_and_nothing_else) {
  const TempDir dir;
  make_store(dir / "state.db");
  for (const char* name : {"state.db-wal", "state.db-shm", "state.db.lock", "server.toml",
                           "server.crt", "server.key", ".portunus-autocert"}) {
    test::write_file(dir / name, "");
  }
  EXPECT_TRUE(reset(dir.path()).value());
  EXPECT_EQ(names_in(dir.path()),
            (Names{".portunus-autocert", "server.crt", "server.key", "server.toml"}));
  EXPECT_TRUE(Store::open({.path = dir / "state.db"}));
}

TEST(Reset, SQ_4_nothing_there_changes_nothing) {
  const TempDir dir;
  test::write_file(dir / "server.toml", "");
  EXPECT_FALSE(reset(dir.path()).value());
  EXPECT_EQ(names_in(dir.path()), Names{"server.toml"});
  EXPECT_FALSE(reset(dir / "none").value());
}

TEST(Reset, SQ_4_what_cannot_be_removed_is_named_and_removed_later) {
  const TempDir dir;
  make_store(dir / "state.db");
  const auto stays = dir / "state.db-wal";
  std::filesystem::remove(stays);
  std::filesystem::create_directory(stays);
  test::write_file(dir / "state.db-shm", "");
  EXPECT_EQ(reset(dir.path()).error().text(), "Is a directory: remove " + stays.string());
  EXPECT_EQ(names_in(dir.path()), Names{"state.db-wal"});  // all the others are gone
  EXPECT_FALSE(reset(dir.path()));
  std::filesystem::remove(stays);
  test::write_file(stays, "left over");
  EXPECT_TRUE(reset(dir.path()).value());
  EXPECT_EQ(names_in(dir.path()), Names{});
  EXPECT_FALSE(reset(dir.path()).value());
}

TEST(Reset, CLI_2_2_a_lock_file_that_was_left_alone_is_removed_later) {
  const TempDir dir;
  test::write_file(dir / "state.db.lock", "");
  {
    const auto held = StoreLock::acquire(dir.path());
    ASSERT_TRUE(held);
    EXPECT_EQ(reset(dir.path()).error().text(), "store_in_use: " + (dir / "state.db").string());
  }
  EXPECT_TRUE(reset(dir.path()).value());
  EXPECT_EQ(names_in(dir.path()), Names{});
  EXPECT_FALSE(reset(dir.path()).value());
}

TEST(Reset, SQ_4_keeps_what_is_not_sqlite) {
  const TempDir dir;
  test::write_file(dir / "state.db", "somebody's notes");
  // Found before the lock is tried.
  const auto lock = StoreLock::acquire(dir.path());
  ASSERT_TRUE(lock);
  EXPECT_EQ(reset(dir.path()).error().text(), "not a sqlite file: " + (dir / "state.db").string());
  EXPECT_EQ(test::read_file(dir / "state.db"), "somebody's notes");
}

TEST(Reset, SQ_4_needs_the_lock) {
  const TempDir dir;
  make_store(dir / "state.db");
  {
    const auto lock = StoreLock::acquire(dir.path());
    ASSERT_TRUE(lock);
    EXPECT_EQ(reset(dir.path()).error().text(), "store_in_use: " + (dir / "state.db").string());
    EXPECT_TRUE(std::filesystem::exists(dir / "state.db"));
  }
  EXPECT_TRUE(reset(dir.path()).value());
}

TEST(Reset, a_lock_on_a_file_that_was_taken_away_does_not_count) {
  const TempDir dir;
  const auto old = StoreLock::acquire(dir.path());
  ASSERT_TRUE(old);
  std::filesystem::remove(dir / "state.db.lock");
  // What a reset leaves: its own lock is on a file without a name, the next one on a new file.
  const auto next = StoreLock::acquire(dir.path());
  ASSERT_TRUE(next);
  EXPECT_EQ(StoreLock::acquire(dir.path()).error(), Errc::in_use);
}

}  // namespace
}  // namespace portunus::server::store
