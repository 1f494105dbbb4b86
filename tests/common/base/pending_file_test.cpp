#include "common/base/pending_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iterator>

#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"

namespace portunus {
namespace {

using test::TempDir;

std::size_t entries(const TempDir& dir) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(dir.path()), {}));
}

PendingFile pending(const std::filesystem::path& destination, std::string_view text) {
  auto file = PendingFile::create(destination);
  EXPECT_TRUE(file) << file.error().text();
  test::write_file(file->path(), text);
  return std::move(*file);
}

TEST(PendingFile, becomes_the_destination_with_its_mode) {
  const TempDir dir;
  const auto path = dir / "file";
  test::write_file(path, "old");
  PendingFile file = pending(path, "new");
  EXPECT_EQ(test::read_file(path), "old");
  struct stat before{};
  ASSERT_EQ(::stat(file.path().c_str(), &before), 0);
  EXPECT_EQ(before.st_mode & 0777U, 0600U);
  ASSERT_TRUE(file.commit(PendingFile::Existing::replaced, 0640));
  EXPECT_EQ(test::read_file(path), "new");
  struct stat after{};
  ASSERT_EQ(::stat(path.c_str(), &after), 0);
  EXPECT_EQ(after.st_mode & 0777U, 0640U);
  EXPECT_EQ(entries(dir), 1U);
}

TEST(PendingFile, leaves_an_existing_file_alone_when_told_to) {
  const TempDir dir;
  const auto path = dir / "file";
  {
    PendingFile file = pending(path, "new");
    test::write_file(path, "came first");
    const auto done = file.commit(PendingFile::Existing::kept, 0600);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, std::errc::file_exists);
  }
  EXPECT_EQ(test::read_file(path), "came first");
  EXPECT_EQ(entries(dir), 1U);
  std::filesystem::remove(path);
  ASSERT_TRUE(pending(path, "new").commit(PendingFile::Existing::kept, 0600));
  EXPECT_EQ(test::read_file(path), "new");
}

TEST(PendingFile, nothing_is_left_of_what_was_not_committed) {
  const TempDir dir;
  {
    PendingFile first = pending(dir / "file", "x");
    const PendingFile second = std::move(first);
    EXPECT_EQ(entries(dir), 1U);
  }
  EXPECT_EQ(entries(dir), 0U);
}

TEST(PendingFile, a_missing_directory_is_an_error_of_the_system) {
  const TempDir dir;
  const auto file = PendingFile::create(dir / "none" / "file");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, std::errc::no_such_file_or_directory);
}

TEST(PendingFile, a_destination_that_cannot_be_replaced_is_an_error) {
  const TempDir dir;
  std::filesystem::create_directories(dir / "file" / "inside");
  {
    PendingFile file = pending(dir / "file", "x");
    EXPECT_FALSE(file.commit(PendingFile::Existing::replaced, 0600));
  }
  EXPECT_EQ(entries(dir), 1U);
  EXPECT_TRUE(std::filesystem::exists(dir / "file" / "inside"));
}

}  // namespace
}  // namespace portunus
