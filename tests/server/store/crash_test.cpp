#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <random>

#include "server/store/client_store.hpp"
#include "server/store/connection.hpp"
#include "server/store/enrollment_store.hpp"
#include "server/store/store.hpp"
#include "tests/support/temp_dir.hpp"

namespace portunus::server::store {
namespace {

constexpr const char* kPathVariable = "PORTUNUS_TEST_CRASH_STORE";
constexpr SystemTime kNow{std::chrono::seconds(1'700'000'000)};

std::string padded(std::string text, std::size_t width, char fill) {
  text.insert(0, width - text.size(), fill);
  return text;
}

/// What redeeming a code does: a client appears and the code is spent, both or neither.
Result<> redeem_like(Connection& c, std::int64_t n) {
  const std::string number = std::to_string(n);
  const auto code = insert_enrollment(c, {.id = 0,
                                          .client_name = "edge-" + number,
                                          .address = std::nullopt,
                                          .code_hash = padded(number, 64, 'c'),
                                          .created_at = kNow,
                                          .expires_at = kNow + std::chrono::hours(1),
                                          .consumed_at = std::nullopt,
                                          .endpoint = std::nullopt});
  if (!code) return fail(code.error());
  const auto client = insert_client(c, {.client_id = padded(number, 26, '0'),
                                        .name = "edge-" + number,
                                        .token_hash = padded(number, 64, 'a'),
                                        .provisioned_at = kNow,
                                        .revoked_at = std::nullopt,
                                        .address = std::nullopt});
  if (!client) return client;
  const auto consumed = consume_enrollment(c, *code, kNow);
  if (!consumed) return fail(consumed.error());
  return {};
}

std::int64_t number(Connection& c, std::string_view sql) {
  Query query(c, sql);
  query.step();
  return query.integer(0);
}

/// Not a test of its own: the process that the test below starts and kills.
TEST(CrashWriter, DISABLED_writes_until_killed) {
  const char* path = std::getenv(kPathVariable);
  ASSERT_NE(path, nullptr);
  auto store = Store::open({.path = path});
  ASSERT_TRUE(store) << store.error().text();
  std::int64_t n = (*store)
                       ->read_now([](Connection& c) -> Result<std::int64_t> {
                         return number(c, "SELECT count(*) FROM clients");
                       })
                       .value();
  while (true) {
    ASSERT_TRUE((*store)->write_now([&](Connection& c) { return redeem_like(c, n); }));
    ++n;
    const char committed = '.';
    if (::write(STDOUT_FILENO, &committed, 1) != 1) std::abort();
  }
}

/// Kills a writer some time after its first commit; the number of commits it had reported.
std::int64_t run_and_kill(const std::string& path, std::chrono::microseconds after) {
  int out[2];
  EXPECT_EQ(::pipe(out), 0);
  ::setenv(kPathVariable, path.c_str(), 1);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(out[1], STDOUT_FILENO);
    ::close(out[0]);
    ::execl("/proc/self/exe", "crash_writer", "--gtest_also_run_disabled_tests",
            "--gtest_filter=CrashWriter.*", "--gtest_brief=1", nullptr);
    ::_exit(127);
  }
  ::close(out[1]);
  std::int64_t commits = 0;
  char buffer[4096];
  const auto count = [&](ssize_t n) {
    for (ssize_t i = 0; i < n; ++i) commits += buffer[i] == '.' ? 1 : 0;
  };
  count(::read(out[0], buffer, 1));
  ::usleep(static_cast<useconds_t>(after.count()));
  ::kill(child, SIGKILL);
  ssize_t n;
  while ((n = ::read(out[0], buffer, sizeof buffer)) > 0) count(n);
  ::close(out[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself: " << status;
  return commits;
}

TEST(StoreCrash, AC2_sigkill_under_load_leaves_a_consistent_store) {
  const test::TempDir dir;
  const std::string path = (dir / "state.db").string();
  std::mt19937 random(20260217);
  std::uniform_int_distribution<int> delay(0, 30'000);
  std::int64_t reported = 0;
  for (int round = 0; round < 12; ++round) {
    reported += run_and_kill(path, std::chrono::microseconds(delay(random)));
    auto store = Store::open({.path = path});
    ASSERT_TRUE(store) << store.error().text();
    ASSERT_TRUE((*store)->read_now([&](Connection& c) -> Result<> {
      Query check(c, "PRAGMA integrity_check");
      check.step();
      EXPECT_EQ(check.text(0), "ok");
      const std::int64_t clients = number(c, "SELECT count(*) FROM clients");
      EXPECT_GE(clients, reported);              // nothing committed is lost
      EXPECT_LE(clients, reported + round + 1);  // at most one unreported commit per kill
      EXPECT_EQ(number(c, "SELECT count(*) FROM enrollments WHERE consumed_at IS NOT NULL"),
                clients);
      EXPECT_EQ(number(c, "SELECT count(*) FROM enrollments WHERE consumed_at IS NULL"), 0);
      return {};
    }));
  }
  EXPECT_GT(reported, 12);
}

}  // namespace
}  // namespace portunus::server::store
