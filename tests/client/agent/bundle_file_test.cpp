#include "client/agent/bundle_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "client/agent/errc.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"

namespace portunus::client::agent {
namespace {

namespace fs = std::filesystem;
using test::read_file;
using test::TempDir;
using test::write_file;

unsigned mode_of(const std::string& path) {
  struct stat info{};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return info.st_mode & 07777U;
}

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(BundleFile, the_search_order_skips_what_is_unset) {
  EXPECT_EQ(
      (BundlePlaces{"/b.json", "/xdg", "/h"}.search_order()),
      (std::vector<std::string>{"/b.json", "/xdg/portunus/client.bundle.json",
                                "/h/.config/portunus/client.bundle.json", "./client.bundle.json"}));
  EXPECT_EQ((BundlePlaces{"", "", ""}.search_order()),
            (std::vector<std::string>{"./client.bundle.json"}));
}

TEST(BundleFile, enroll_does_not_use_the_variable_of_the_search) {
  EXPECT_EQ((BundlePlaces{"/b.json", "/xdg", "/h"}.enroll_target()),
            "/xdg/portunus/client.bundle.json");
  EXPECT_EQ((BundlePlaces{"/b.json", "", "/h"}.enroll_target()),
            "/h/.config/portunus/client.bundle.json");
  EXPECT_EQ((BundlePlaces{"/b.json", "", ""}.enroll_target()), "./client.bundle.json");
}

TEST(BundleFile, the_first_existing_file_wins) {
  const TempDir dir;
  write_file(dir / "second", "");
  write_file(dir / "third", "");
  fs::create_directory(dir / "first");
  EXPECT_EQ(find_bundle({dir / "first", dir / "none", dir / "second", dir / "third"}),
            (dir / "second").string());
  EXPECT_EQ(find_bundle({dir / "none"}), std::nullopt);
}

TEST(BundleFile, unreadable_files_are_an_error) {
  const TempDir dir;
  for (const std::string& path : {(dir / "none").string(), dir.path().string()}) {
    const auto result = load_bundle(path);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().error.code, Errc::bundle_unreadable);
  }
  write_file(dir / "huge", std::string((1U << 20U) + 1, ' '));
  EXPECT_EQ(load_bundle(dir / "huge").error().error.code, Errc::bundle_unreadable);
}

TEST(BundleFile, a_new_file_is_private_and_its_parents_are_made) {
  const TempDir dir;
  const std::string path = dir / "a/b/client.bundle.json";
  auto writer = BundleWriter::prepare(path);
  ASSERT_TRUE(writer) << writer.error().text();
  EXPECT_FALSE(fs::exists(path));
  ASSERT_TRUE(writer->commit("text\n"));
  EXPECT_EQ(read_file(path), "text\n");
  EXPECT_EQ(mode_of(path), 0600U);
  EXPECT_EQ(entries(fs::path(path).parent_path()), 1U);
}

TEST(BundleFile, a_bare_file_name_is_one_in_the_working_directory) {
  const TempDir dir;
  const fs::path before = fs::current_path();
  fs::current_path(dir.path());
  auto writer = BundleWriter::prepare("bundle.json");
  const bool prepared = writer.has_value();
  const bool written = prepared && writer->commit("{}").has_value();
  fs::current_path(before);
  EXPECT_TRUE(prepared);
  EXPECT_TRUE(written);
  EXPECT_EQ(read_file(dir / "bundle.json"), "{}");
}

TEST(BundleFile, an_existing_file_keeps_its_mode_and_its_link) {
  const TempDir dir;
  write_file(dir / "real", "old");
  fs::permissions(dir / "real", fs::perms(0640));
  fs::create_symlink(dir / "real", dir / "link");
  {
    auto abandoned = BundleWriter::prepare(dir / "link");
    ASSERT_TRUE(abandoned);
  }
  EXPECT_EQ(read_file(dir / "real"), "old");
  auto writer = BundleWriter::prepare(dir / "link");
  ASSERT_TRUE(writer->commit("new"));
  EXPECT_TRUE(fs::is_symlink(dir / "link"));
  EXPECT_EQ(read_file(dir / "real"), "new");
  EXPECT_EQ(mode_of(dir / "real"), 0640U);
  EXPECT_EQ(entries(dir.path()), 2U);
}

TEST(BundleFile, what_cannot_be_written_is_found_before_the_code_is_spent) {
  const TempDir dir;
  write_file(dir / "file", "");
  EXPECT_EQ(BundleWriter::prepare(dir / "file/bundle").error().code, Errc::bundle_unwritable);
  EXPECT_EQ(BundleWriter::prepare(dir.path().string()).error().code, Errc::bundle_unwritable);
  const std::string pipe = dir / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto refused = BundleWriter::prepare(pipe);
  ASSERT_FALSE(refused) << "a device or a pipe is not to be replaced by a file";
  EXPECT_EQ(refused.error().code, Errc::bundle_unwritable);
}

TEST(BundleFile, CLI_7_a_path_that_names_no_file_is_found_before_the_code_is_spent) {
  const TempDir dir;
  const std::string folder = dir / "none";
  for (const std::string& path : {std::string(), folder + "/", folder + "/.", folder + "/.."}) {
    const auto refused = BundleWriter::prepare(path);
    ASSERT_FALSE(refused) << path;
    EXPECT_EQ(refused.error().text(), "bundle not written: \"" + path + "\" names no file");
  }
  EXPECT_EQ(entries(dir.path()), 0U);
}

TEST(BundleFile, what_is_reserved_and_not_needed_goes_back) {
  const TempDir dir;
  auto writer = BundleWriter::prepare(dir / "bundle");
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->commit("new"));
  struct stat info{};
  ASSERT_EQ(::stat((dir / "bundle").c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 3);
  EXPECT_LE(info.st_blocks * 512, 16 * 1024);
}

}  // namespace
}  // namespace portunus::client::agent
