#include "common/config/data_dir.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>

#include "tests/support/temp_dir.hpp"

namespace portunus::config {
namespace {

Environment table(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

TEST(DataDir, the_search_order_skips_empty_variables) {
  std::map<std::string, std::string> env{
      {"STATE_DIRECTORY", "/s"}, {"XDG_STATE_HOME", "/x"}, {"HOME", "/h"}};
  EXPECT_EQ(DataDir::locate("/flag", table(env)).root, "/flag");
  EXPECT_EQ(DataDir::locate({}, table(env)).root, "/s");
  env["STATE_DIRECTORY"] = "";
  EXPECT_EQ(DataDir::locate({}, table(env)).root, "/x/portunus");
  env.erase("XDG_STATE_HOME");
  EXPECT_EQ(DataDir::locate({}, table(env)).root, "/h/.local/state/portunus");
  EXPECT_EQ(DataDir::locate({}, table({})).root, "./portunus.state");
}

TEST(DataDir, is_created_with_0750_and_left_alone_when_there) {
  const test::TempDir temp;
  const DataDir dir{temp / "a/b"};
  ASSERT_TRUE(dir.create());
  ASSERT_TRUE(dir.create());
  struct stat info;
  ASSERT_EQ(::stat(dir.root.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U & 0027U, 0U);
  EXPECT_TRUE(std::filesystem::is_directory(dir.root));
}

TEST(DataDir, CLI_4_a_trailing_slash_changes_nothing_of_its_mode) {
  const test::TempDir temp;
  const mode_t mask = ::umask(0022);
  for (const char* tail : {"a/b/", "c//", "d/.", "e/./"}) {
    const DataDir dir{temp / tail};
    EXPECT_TRUE(dir.create()) << tail;
    EXPECT_TRUE(dir.create()) << tail;
    struct stat info{};
    EXPECT_EQ(::stat(dir.root.c_str(), &info), 0) << tail;
    EXPECT_EQ(info.st_mode & 07777U, 0750U) << tail;
  }
  ::umask(mask);
}

TEST(DataDir, a_file_in_the_way_is_an_error) {
  const DataDir dir{"/proc/version/x"};
  EXPECT_FALSE(dir.create());
}

TEST(Filesystem, every_refused_type_has_its_name) {
  EXPECT_EQ(refused_filesystem(0x6969), "nfs");
  EXPECT_EQ(refused_filesystem(0x517B), "smbfs");
  EXPECT_EQ(refused_filesystem(0xFE534D42), "smb2");
  EXPECT_EQ(refused_filesystem(0x01021994), "tmpfs");
  EXPECT_EQ(refused_filesystem(0x858458F6), "ramfs");
  EXPECT_EQ(refused_filesystem(0x65735546), "fuse");
  EXPECT_EQ(refused_filesystem(0x73757245), "ceph");
  EXPECT_FALSE(refused_filesystem(0xEF53));
}

TEST(Filesystem, the_nearest_existing_ancestor_decides) {
  struct stat info;
  if (::stat("/dev/shm", &info) == 0 && probe_filesystem("/dev/shm")) {
    EXPECT_EQ(probe_filesystem("/dev/shm/not/there/yet"), "tmpfs");
  }
  EXPECT_FALSE(probe_filesystem("/proc/self"));
}

}  // namespace
}  // namespace portunus::config
