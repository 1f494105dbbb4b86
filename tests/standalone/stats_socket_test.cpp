#include "standalone/stats_socket.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <future>
#include <vector>

#include "common/net/unique_fd.hpp"
#include "standalone/stats_reader.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::standalone {
namespace {

using std::chrono::milliseconds;

async::Task<bool> finish(StatsSocket& socket) {
  socket.request_stop();
  co_await socket.drain();
  co_return true;
}

class StatsSocketTest : public testing::Test {
 protected:
  void TearDown() override { io_.run(finish(socket_)); }

  /// What a reader in a thread of its own gets while the loop runs.
  std::vector<nlohmann::json> read(int lines) {
    auto got = std::async(std::launch::async, [this, lines] {
      std::vector<nlohmann::json> out;
      auto reader = StatsReader::connect(path_);
      while (reader && static_cast<int>(out.size()) < lines) {
        auto next = reader->next(std::chrono::seconds(10));
        if (next.state != StatsReader::State::line) break;
        out.push_back(std::move(next.message));
      }
      return out;
    });
    io_.run_until([&] { return got.wait_for(milliseconds(0)) == std::future_status::ready; });
    return got.get();
  }

  test::TempDir dir_;
  const std::filesystem::path path_ = dir_ / "sub/stats.sock";
  test::LogCapture log_;
  test::TestIo io_;
  StatsSocket socket_{io_.executor(),
                      {[] { return std::string("{\"v\":1}\n"); },
                       [](std::uint64_t n) { return "{\"seq\":" + std::to_string(n) + "}\n"; }},
                      milliseconds(10)};
};

TEST_F(StatsSocketTest, greets_then_sends_a_snapshot_at_once_and_every_refresh) {
  socket_.open(path_);
  for (int reader = 0; reader < 2; ++reader) {
    const auto lines = read(4);
    ASSERT_EQ(lines.size(), 4U);
    EXPECT_EQ(lines[0]["v"], 1);
    for (int i = 1; i < 4; ++i) EXPECT_EQ(lines[static_cast<std::size_t>(i)]["seq"], i);
  }
  EXPECT_EQ(log_.count("standalone.stats_socket_listening",
                       {"\"path\":\"" + path_.string() + "\"", "\"refresh_ms\":10"}),
            1U);
}

TEST_F(StatsSocketTest, has_mode_0660_below_a_folder_with_0750) {
  socket_.open(path_);
  struct stat info{};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0660U);
  ASSERT_EQ(::stat(path_.parent_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0750U);
}

TEST_F(StatsSocketTest, takes_the_place_of_a_stale_socket_but_not_of_a_served_one) {
  {
    StatsSocket crashed(io_.executor(), {[] { return ""; }, [](std::uint64_t) { return ""; }},
                        milliseconds(10));
    crashed.open(path_);
    ASSERT_TRUE(std::filesystem::is_socket(path_));
    socket_.open(path_);
    EXPECT_EQ(log_.count("standalone.stats_socket_bind_failed"), 1U);
    std::filesystem::rename(path_, dir_ / "aside");
    io_.run(finish(crashed));
    std::filesystem::rename(dir_ / "aside", path_);  // as a crash would leave it
  }
  socket_.open(path_);
  EXPECT_EQ(log_.count("standalone.stats_socket_bind_failed"), 1U);
  EXPECT_EQ(read(2).size(), 2U);
}

TEST_F(StatsSocketTest, a_socket_whose_owner_has_no_time_is_not_stale) {
  const auto taken = dir_ / "busy.sock";
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  std::strcpy(where.sun_path, taken.c_str());
  const auto* const address = reinterpret_cast<const sockaddr*>(&where);
  const net::UniqueFd owner(::socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(::bind(owner.get(), address, sizeof where), 0);
  ASSERT_EQ(::listen(owner.get(), 0), 0);
  std::vector<net::UniqueFd> waiting;
  do {
    waiting.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
  } while (::connect(waiting.back().get(), address, sizeof where) == 0);
  ASSERT_EQ(errno, EAGAIN);
  socket_.open(taken);
  EXPECT_EQ(log_.count("standalone.stats_socket_bind_failed", {"Address already in use"}), 1U);
  EXPECT_TRUE(std::filesystem::is_socket(taken));
}

TEST_F(StatsSocketTest, a_path_that_cannot_be_bound_is_logged_and_nothing_more) {
  socket_.open(dir_ / std::string(200, 'x'));
  EXPECT_EQ(log_.count("standalone.stats_socket_bind_failed"), 1U);
}

TEST_F(StatsSocketTest, the_file_goes_with_the_daemon_and_readers_see_the_end) {
  socket_.open(path_);
  auto reader = StatsReader::connect(path_);
  ASSERT_TRUE(reader);
  io_.run_until([&] { return reader->next(milliseconds(0)).state == StatsReader::State::line; });
  io_.run(finish(socket_));
  EXPECT_FALSE(std::filesystem::exists(path_));
  StatsReader::Next next = reader->next(std::chrono::seconds(10));
  while (next.state == StatsReader::State::line) next = reader->next(std::chrono::seconds(10));
  EXPECT_EQ(next.state, StatsReader::State::ended);
  EXPECT_EQ(next.error, "");
}

TEST_F(StatsSocketTest, admits_sixteen_readers) {
  socket_.open(path_);
  std::vector<StatsReader> readers;
  for (int i = 0; i < 16; ++i) {
    auto reader = StatsReader::connect(path_);
    ASSERT_TRUE(reader);
    readers.push_back(std::move(*reader));
    io_.run_until(
        [&] { return readers.back().next(milliseconds(0)).state == StatsReader::State::line; });
  }
  auto extra = StatsReader::connect(path_);
  ASSERT_TRUE(extra);
  io_.run_until(
      [&] { return extra->next(milliseconds(0)).state != StatsReader::State::nothing_yet; });
  EXPECT_EQ(extra->next(milliseconds(0)).state, StatsReader::State::ended);
  EXPECT_EQ(readers.front().next(std::chrono::seconds(0)).state, StatsReader::State::line);
}

}  // namespace
}  // namespace portunus::standalone
