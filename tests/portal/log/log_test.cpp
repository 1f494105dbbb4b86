#include "portal/log/log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace portunus::portal::log {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

/// A pipe whose other end is read by the test.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe2(ends_.data(), O_CLOEXEC), 0); }
  ~Pipe() {
    close_reader();
    close_writer();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int writer() const { return ends_[1]; }
  void close_reader() { close_end(ends_[0]); }
  void close_writer() { close_end(ends_[1]); }
  /// All that was written; the writer must be done.
  std::string rest() {
    close_writer();
    std::string text;
    std::array<char, 65536> buffer;
    ssize_t got = 0;
    while ((got = read(ends_[0], buffer.data(), buffer.size())) > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
  }
  /// What can be read now.
  std::string some() const {
    std::array<char, 65536> buffer;
    const ssize_t got = read(ends_[0], buffer.data(), buffer.size());
    return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
  }

 private:
  static void close_end(int& end) {
    if (end >= 0) close(end);
    end = -1;
  }
  std::array<int, 2> ends_{-1, -1};
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    if (end == text.npos) break;
    at = end + 1;
  }
  return lines;
}

constexpr std::array kLevels = {Level::debug, Level::info, Level::warn, Level::error, Level::event};

TEST(PortalLog, S3_ranks_and_thresholds) {
  for (const Level threshold : kLevels) {
    Pipe pipe;
    {
      Log log(threshold, false, pipe.writer());
      for (const Level level : kLevels) {
        EXPECT_EQ(log.shown(level), level >= threshold);
        log.write(level, "probe");
      }
      EXPECT_FALSE(log.shown(Level::none));
    }
    std::size_t probes = 0;
    for (const std::string& line : lines_of(pipe.rest())) probes += line.ends_with("  probe");
    EXPECT_EQ(probes, static_cast<std::size_t>(6 - static_cast<int>(threshold)));
  }
}

TEST(PortalLog, S3_every_level_but_none_shows_events) {
  Pipe pipe;
  {
    Log log(Level::none, false, pipe.writer());
    for (const Level level : kLevels) {
      EXPECT_FALSE(log.shown(level));
      log.write(level, "probe");
    }
    log.flush();
  }
  EXPECT_EQ(pipe.rest(), "");
}

TEST(PortalLog, S3_one_confirming_record_at_the_chosen_level) {
  for (const Level level : kLevels) {
    Pipe pipe;
    {
      const Log log(level, false, pipe.writer());
    }
    const auto lines = lines_of(pipe.rest());
    if (level == Level::info) {
      EXPECT_TRUE(lines.empty());
      continue;
    }
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_THAT(lines[0], HasSubstr("  " + std::string(level_name(level)) + "  "));
  }
}

TEST(PortalLog, S3_a_record_is_there_once_it_is_flushed) {
  Pipe pipe;
  Log log(Level::info, false, pipe.writer());
  log.write(Level::info, "first");
  log.flush();
  EXPECT_THAT(pipe.some(), EndsWith("  INFO  first\n"));
}

TEST(PortalLog, S3_writes_of_many_threads_do_not_mix) {
  Pipe pipe;
  std::string text;
  std::thread reader([&] {
    for (std::string part = pipe.some(); !part.empty(); part = pipe.some()) text += part;
  });
  {
    Log log(Level::info, false, pipe.writer());
    std::vector<std::thread> writers;
    for (int i = 0; i < 4; ++i) {
      writers.emplace_back([&log, i] {
        for (int n = 0; n < 500; ++n) log.write(Level::info, std::string(100, char('a' + i)));
      });
    }
    for (auto& writer : writers) writer.join();
  }
  pipe.close_writer();
  reader.join();
  const auto lines = lines_of(text);
  EXPECT_EQ(lines.size(), 2000U);
  for (const std::string& line : lines) {
    const std::string message = line.substr(line.rfind(' ') + 1);
    ASSERT_EQ(message, std::string(100, message[0])) << line;
  }
}

// Nobody who logs waits for the reader, what is kept for him is bounded, and he learns of the rest.
TEST(PortalLog, a_reader_who_does_not_read_holds_up_nobody) {
  Pipe pipe;
  std::string text;
  {
    Log log(Level::info, false, pipe.writer());
    const std::string message(1000, 'x');
    for (int i = 0; i < 6000; ++i) log.write(Level::info, message);
    std::thread reader([&] {
      for (std::string part = pipe.some(); !part.empty(); part = pipe.some()) text += part;
    });
    log.flush();
    log.write(Level::info, "after");
    log.flush();
    pipe.close_writer();
    reader.join();
  }
  EXPECT_LT(text.size(), 5'000'000U);
  EXPECT_THAT(text, HasSubstr(" log records were lost\n"));
  EXPECT_THAT(text, EndsWith("  INFO  after\n"));
}

TEST(PortalLog, a_reader_who_is_stuck_is_waited_for_once) {
  Pipe pipe;
  const auto begin = std::chrono::steady_clock::now();
  {
    Log log(Level::info, false, pipe.writer());
    log.write(Level::info, std::string(200'000, 'x'));
    for (int i = 0; i < 5; ++i) log.flush();
    const auto waited = std::chrono::steady_clock::now() - begin;
    EXPECT_GE(waited, std::chrono::milliseconds(1900));
    EXPECT_LT(waited, std::chrono::seconds(4));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
}

TEST(PortalLog, a_reader_who_is_gone_ends_nothing) {
  Pipe pipe;
  Log log(Level::info, false, pipe.writer());
  pipe.close_reader();
  log.write(Level::info, "nobody");
  log.flush();
  log.write(Level::info, "nobody");
  log.flush();
  SUCCEED() << "no SIGPIPE, no hang";
}

TEST(PortalLog, S3_colour_is_for_terminals_without_no_color) {
  Pipe pipe;
  EXPECT_FALSE(wants_colour(pipe.writer()));
  const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(master, 0);
  ASSERT_EQ(grantpt(master), 0);
  ASSERT_EQ(unlockpt(master), 0);
  std::array<char, 128> name;
  ASSERT_EQ(ptsname_r(master, name.data(), name.size()), 0);
  const int terminal = open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(terminal, 0);
  unsetenv("NO_COLOR");
  EXPECT_TRUE(wants_colour(terminal));
  // Set at all is enough, as its own rule and ours say.
  setenv("NO_COLOR", "", 1);
  EXPECT_FALSE(wants_colour(terminal));
  setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(wants_colour(terminal));
  unsetenv("NO_COLOR");
  close(terminal);
  close(master);
}

}  // namespace
}  // namespace portunus::portal::log
