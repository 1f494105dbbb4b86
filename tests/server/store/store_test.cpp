#include "server/store/store.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <thread>

#include "common/async/io_threads.hpp"
#include "server/store/connection.hpp"
#include "server/store/user_store.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::server::store {
namespace {

using test::LogCapture;
using test::TempDir;
using test::TestIo;

std::unique_ptr<Store> open_store(const TempDir& dir) {
  auto store = Store::open({.path = dir / "state.db"});
  EXPECT_TRUE(store.has_value()) << store.error().text();
  return std::move(*store);
}

UserRow user(std::string id) {
  return {.user_id = std::move(id),
          .display_name = "A",
          .role = Role::user,
          .disabled = false,
          .created_at = from_unix_micros(5)};
}

Result<> add_user(Store& store, const std::string& id) {
  return store.write_now([&](Connection& c) { return insert_user(c, user(id)); });
}

std::int64_t users(Store& store) {
  return store.read_now([](Connection& c) { return count_users(c); }).value();
}

TEST(Store, keeps_what_was_committed_across_a_reopening) {
  const TempDir dir;
  {
    auto store = open_store(dir);
    ASSERT_TRUE(add_user(*store, "alice"));
    store->close();
    EXPECT_EQ(store->write_now([](Connection& c) { return count_users(c); }).error(), Errc::closed);
  }
  auto store = open_store(dir);
  EXPECT_EQ(users(*store), 1);
}

TEST(Store, clean_close_leaves_one_ordinary_file) {
  const TempDir dir;
  auto store = open_store(dir);
  ASSERT_TRUE(add_user(*store, "alice"));
  EXPECT_TRUE(std::filesystem::exists(dir / "state.db-wal"));
  store->close();
  EXPECT_FALSE(std::filesystem::exists(dir / "state.db-wal"));
  EXPECT_FALSE(std::filesystem::exists(dir / "state.db-shm"));
}

TEST(Store, a_failing_function_leaves_nothing) {
  const TempDir dir;
  auto store = open_store(dir);
  const Result<> done = store->write_now([](Connection& c) -> Result<> {
    if (const auto added = insert_user(c, user("alice")); !added) return added;
    return fail(Errc::io);
  });
  EXPECT_EQ(done.error(), Errc::io);
  EXPECT_EQ(users(*store), 0);
}

TEST(Store, constraint_is_told_apart_and_the_store_goes_on) {
  const TempDir dir;
  auto store = open_store(dir);
  ASSERT_TRUE(add_user(*store, "alice"));
  EXPECT_EQ(add_user(*store, "alice").error(), Errc::constraint);
  EXPECT_TRUE(add_user(*store, "bob"));
}

TEST(Store, a_read_cannot_change_anything) {
  const TempDir dir;
  auto store = open_store(dir);
  const Result<> done =
      store->read_now([](Connection& c) { return insert_user(c, user("alice")); });
  (void)done;  // refused by a reader's connection, rolled back where the writer's thread reads
  EXPECT_EQ(users(*store), 0);
}

TEST(Store, a_read_sees_one_snapshot) {
  const TempDir dir;
  auto store = open_store(dir);
  if (async::IoThreads::core_count() < 2) GTEST_SKIP() << "reads and writes share one connection";
  const auto counts = store->read_now([&](Connection& c) -> Result<std::pair<int, int>> {
    const auto before = count_users(c);
    std::thread([&] { ASSERT_TRUE(add_user(*store, "alice")); }).join();
    const auto after = count_users(c);
    return std::pair(static_cast<int>(*before), static_cast<int>(*after));
  });
  EXPECT_EQ(counts.value(), std::pair(0, 0));
  EXPECT_EQ(users(*store), 1);
}

TEST(Store, full_disk_fails_the_one_request) {
  const TempDir dir;
  auto store = open_store(dir);
  ASSERT_TRUE(store->write_now([](Connection& c) -> Result<> {
    Query(c, "PRAGMA max_page_count = 40").step();
    return {};
  }));
  const Result<> done = store->write_now([](Connection& c) -> Result<> {
    for (int i = 0; i < 5000; ++i) {
      UserRow row = user("u" + std::to_string(i));
      row.display_name = std::string(64, 'x');
      if (const auto added = insert_user(c, row); !added) return added;
    }
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), Errc::io);
  EXPECT_EQ(users(*store), 0);
  EXPECT_TRUE(add_user(*store, "alice"));
}

TEST(Store, busy_is_transient_and_counted) {
  const TempDir dir;
  auto store =
      Store::open({.path = dir / "state.db", .busy_timeout = std::chrono::milliseconds(1)});
  ASSERT_TRUE(store);
  SQLite::Database other((dir / "state.db").string(), SQLite::OPEN_READWRITE);
  other.exec("BEGIN IMMEDIATE");
  EXPECT_EQ(add_user(**store, "alice").error(), Errc::busy);
  EXPECT_EQ((*store)->busy_total(), 2U);  // it was tried twice
  other.exec("ROLLBACK");
  EXPECT_TRUE(add_user(**store, "alice"));
}

TEST(Store, settings_of_every_connection) {
  const TempDir dir;
  auto store = open_store(dir);
  const auto number = [](Connection& c, std::string_view pragma) {
    Query query(c, pragma);
    query.step();
    return query.integer(0);
  };
  const auto check = [&](Connection& c) -> Result<> {
    EXPECT_EQ(number(c, "PRAGMA synchronous"), 1);
    EXPECT_EQ(number(c, "PRAGMA foreign_keys"), 1);
    EXPECT_EQ(number(c, "PRAGMA busy_timeout"), 5000);
    EXPECT_EQ(number(c, "PRAGMA temp_store"), 2);
    EXPECT_EQ(number(c, "PRAGMA cache_size"), -8192);
    EXPECT_EQ(number(c, "PRAGMA application_id"), 0x504F5254);
    Query mode(c, "PRAGMA journal_mode");
    mode.step();
    EXPECT_EQ(mode.text(0), "wal");
    return {};
  };
  EXPECT_TRUE(store->write_now(check));
  EXPECT_TRUE(store->read_now(check));
}

async::Task<Result<std::int64_t>> write_and_count(Store& store, std::string id) {
  auto add = [id](Connection& c) { return insert_user(c, user(id)); };
  const Result<> added = co_await store.write(std::move(add));
  if (!added) co_return fail(added.error());
  auto count = [](Connection& c) { return count_users(c); };
  co_return co_await store.read(count);
}

TEST(Store, coroutines_resume_on_their_own_executor) {
  const TempDir dir;
  TestIo io;  // outlives the threads of the store
  auto store = open_store(dir);
  const auto count = io.run(write_and_count(*store, "alice"));
  EXPECT_EQ(count.value(), 1);
}

async::Task<Result<>> note_order(Store& store, int number, std::vector<int>& order) {
  auto add = [number](Connection& c) { return insert_user(c, user("u" + std::to_string(number))); };
  const Result<> added = co_await store.write(std::move(add));
  order.push_back(number);
  co_return added;
}

TEST(Store, writers_resume_in_the_order_of_their_calls) {
  const TempDir dir;
  TestIo io;  // outlives the threads of the store
  auto store = open_store(dir);
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) io.start(note_order(*store, i, order));
  io.run_until([&] { return order.size() == 100; });
  EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST(Store, closed_store_answers_instead_of_hanging) {
  const TempDir dir;
  TestIo io;  // outlives the threads of the store
  auto store = open_store(dir);
  store->close();
  EXPECT_EQ(io.run(write_and_count(*store, "alice")).error(), Errc::closed);
  store->write_later([](Connection&) -> Result<> { return {}; });
}

TEST(Store, close_finishes_what_is_queued) {
  const TempDir dir;
  auto store = open_store(dir);
  for (int i = 0; i < 50; ++i) {
    store->write_later(
        [i](Connection& c) { return insert_user(c, user("u" + std::to_string(i))); });
  }
  store->close();
  store = open_store(dir);
  EXPECT_EQ(users(*store), 50);
}

TEST(Store, many_threads_read_and_write) {
  const TempDir dir;
  auto store = open_store(dir);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_TRUE(add_user(*store, "u" + std::to_string(t) + "-" + std::to_string(i)));
        EXPECT_GT(users(*store), 0);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(users(*store), 200);
}

TEST(Store, logs_its_opening_once) {
  const TempDir dir;
  const LogCapture log;
  auto store = open_store(dir);
  EXPECT_EQ(log.count("store.opened", {"\"schema_version\":0"}), 1U);
  EXPECT_EQ(log.count("store.ready"), 1U);
}

}  // namespace
}  // namespace portunus::server::store
