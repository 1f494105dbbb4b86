#include "server/app/data_store.hpp"

#include <gtest/gtest.h>

#include "tests/server/app/scratch_dir.hpp"
#include "tests/support/files.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::server::app {
namespace {

TEST(DataStoreTest, MakesTheDirectoryAndTheStore) {
  const ScratchDir scratch;
  const config::DataDir dir{scratch.path() / "a" / "b"};
  const auto opened = open_data_store(dir);
  ASSERT_TRUE(opened) << opened.error().text;
  EXPECT_TRUE(std::filesystem::exists(dir.database()));
}

TEST(DataStoreTest, ASecondOwnerIsTurnedAway) {
  const ScratchDir scratch;
  const config::DataDir dir{scratch.path()};
  const auto first = open_data_store(dir);
  ASSERT_TRUE(first);
  const test::LogCapture log;
  const auto second = open_data_store(dir);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().exit_code, 75);
  EXPECT_EQ(second.error().text, "startup.store_in_use path=" + scratch.path().string() +
                                     " store_in_use: " + dir.database().string());
  EXPECT_EQ(log.count("startup.store_in_use", {scratch.path().string()}), 1U);
}

TEST(DataStoreTest, AForeignFileIsRefusedAndLeftAlone) {
  const ScratchDir scratch;
  const config::DataDir dir{scratch.path()};
  const std::string text(8192, 'x');
  test::write_file(dir.database(), text);
  const test::LogCapture log;
  const auto opened = open_data_store(dir);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().exit_code, 1);
  EXPECT_EQ(log.count("startup.store_corrupt"), 1U);
  EXPECT_EQ(test::read_file(dir.database()), text);
}

TEST(DataStoreTest, EachFileOfAnOldReleaseIsNamedOnce) {
  const ScratchDir scratch;
  for (const char* name : {"tokens.json", "rules.json", "other.json"}) {
    test::write_file(scratch.path() / name, "{}");
  }
  const test::LogCapture log;
  ASSERT_TRUE(open_data_store({scratch.path()}));
  EXPECT_EQ(log.count("startup.legacy_persistence_file_ignored"), 2U);
  EXPECT_EQ(log.count("startup.legacy_persistence_file_ignored", {"tokens.json"}), 1U);
  EXPECT_EQ(test::read_file(scratch.path() / "tokens.json"), "{}");
}

}  // namespace
}  // namespace portunus::server::app
