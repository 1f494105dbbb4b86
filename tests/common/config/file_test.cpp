#include "common/config/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/temp_dir.hpp"

namespace portunus::config {
namespace {

TEST(File, replacing_keeps_nothing_of_the_old_and_no_temporary) {
  const test::TempDir temp;
  const auto path = temp / "f";
  ASSERT_TRUE(replace_file(path, "a much longer text", 0600));
  ASSERT_TRUE(replace_file(path, "short", 0600));
  EXPECT_EQ(read_file(path).value(), "short");
  struct stat info;
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(temp.path())) {
    ++entries;
  }
  EXPECT_EQ(entries, 1U);
}

TEST(File, a_failed_replacement_leaves_the_old_file) {
  const test::TempDir temp;
  EXPECT_EQ(replace_file(temp / "no/dir/f", "x", 0600).error().code,
            std::errc::no_such_file_or_directory);
}

TEST(File, reading_is_bounded) {
  const test::TempDir temp;
  ASSERT_TRUE(replace_file(temp / "f", std::string(100, 'x'), 0600));
  EXPECT_TRUE(read_file(temp / "f", 100));
  EXPECT_EQ(read_file(temp / "f", 99).error().code, std::errc::file_too_large);
  EXPECT_EQ(read_file(temp / "none").error().code, std::errc::no_such_file_or_directory);
}

}  // namespace
}  // namespace portunus::config
