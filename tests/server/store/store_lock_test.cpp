#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/store/store.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"

namespace portunus::server::store {
namespace {

using test::TempDir;

TEST(StoreLock, is_exclusive_and_names_the_database) {
  const TempDir dir;
  {
    const auto held = StoreLock::acquire(dir.path());
    ASSERT_TRUE(held) << held.error().text();
    const auto second = StoreLock::acquire(dir.path());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().text(), "store_in_use: " + (dir / "state.db").string());
  }
  EXPECT_TRUE(StoreLock::acquire(dir.path()));
}

TEST(StoreLock, a_leftover_file_means_nothing) {
  const TempDir dir;
  test::write_file(dir / "state.db.lock", "left");
  EXPECT_TRUE(StoreLock::acquire(dir.path()));
}

TEST(StoreLock, dies_with_its_process) {
  const TempDir dir;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = StoreLock::acquire(dir.path());
    const char answer = held ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_EQ(StoreLock::acquire(dir.path()).error(), Errc::in_use);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(StoreLock::acquire(dir.path()));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(StoreLock, a_missing_directory_is_an_error_of_the_system) {
  const TempDir dir;
  const auto held = StoreLock::acquire(dir / "none");
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, std::errc::no_such_file_or_directory);
}

}  // namespace
}  // namespace portunus::server::store
