#include "common/log/logger.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <set>
#include <string>
#include <thread>

#include "tests/support/eventually.hpp"

namespace portunus::log {
namespace {

std::set<int> threads() {
  std::set<int> out;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    out.insert(std::stoi(entry.path().filename().string()));
  }
  return out;
}

void interrupt(const std::set<int>& ids) {
  for (const int id : ids) ::syscall(SYS_tgkill, ::getpid(), id, SIGUSR1);
}

class Capture {
 public:
  explicit Capture(std::string_view filter = "trace") {
    capture_for_test([this](std::string_view line) { lines.emplace_back(line); }, filter);
  }
  ~Capture() { capture_for_test(nullptr); }
  std::vector<std::string> lines;
};

TEST(Logger, writes_enabled_events_at_their_level) {
  Capture capture("info");
  log(Event::server_draining);
  log(Event::client_stats_report, {{"client_name", "edge"}});
  ASSERT_EQ(capture.lines.size(), 1U);
  EXPECT_TRUE(capture.lines[0].contains(R"("level":"INFO","event":"server.draining"})"));
  EXPECT_TRUE(enabled(Event::server_draining));
  EXPECT_FALSE(enabled(Event::client_stats_report));
}

TEST(Logger, log_at_obeys_the_level_it_is_given) {
  Capture capture("warn");
  log_at(Level::warn, Event::audit_rule_push, {{"outcome", "failed"}});
  log_at(Level::info, Event::audit_rule_push, {{"outcome", "activated"}});
  ASSERT_EQ(capture.lines.size(), 1U);
  EXPECT_TRUE(capture.lines[0].contains("failed"));
}

TEST(Logger, targets_select_events) {
  Capture capture("off,dataplane=debug");
  log(Event::rule_conn_closed);
  log(Event::server_draining);
  EXPECT_EQ(capture.lines.size(), 1U);
}

TEST(Logger, flush_returns_when_the_lines_are_written) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  const int kept = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  start({.format = Format::json, .filter = "info"});
  std::string seen;
  for (int round = 0; round < 50; ++round) {
    log(Event::server_draining);
    flush();
    char bytes[1024];
    const ssize_t n = ::read(ends[0], bytes, sizeof bytes);
    seen = n > 0 ? std::string(bytes, static_cast<std::size_t>(n)) : "nothing";
    if (!seen.ends_with("\"server.draining\"}\n")) break;
  }
  stop();
  flush();  // nothing to wait for
  ::dup2(kept, STDERR_FILENO);
  for (const int fd : {kept, ends[0], ends[1]}) ::close(fd);
  capture_for_test(nullptr);
  EXPECT_TRUE(seen.ends_with("\"server.draining\"}\n")) << seen;
}

TEST(Logger, OBS_1_a_full_stderr_drops_the_line_also_when_a_signal_cuts_the_wait_short) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  const std::string page(4096, '.');
  while (::write(ends[1], page.data(), page.size()) > 0) continue;
  ASSERT_EQ(::fcntl(ends[1], F_SETFL, 0), 0);  // from here on a write would wait for a reader
  struct sigaction caught{}, before{};
  caught.sa_handler = [](int) {};
  caught.sa_flags = SA_RESTART;
  ASSERT_EQ(::sigaction(SIGUSR1, &caught, &before), 0);
  const int kept = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  const std::set<int> others = threads();
  start({.format = Format::json, .filter = "info"});
  std::set<int> writer = threads();
  std::erase_if(writer, [&](int id) { return others.contains(id); });
  log(Event::server_draining);
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    interrupt(writer);
  }
  std::atomic<bool> stopped{false};
  std::thread stopping([&] {
    stop();
    stopped = true;
  });
  const bool in_time = test::eventually([&] { return stopped.load(); });
  std::string drained(1U << 20U, '.');
  if (!in_time) EXPECT_GT(::read(ends[0], drained.data(), drained.size()), 0);
  stopping.join();
  ::dup2(kept, STDERR_FILENO);
  ::sigaction(SIGUSR1, &before, nullptr);
  for (const int fd : {kept, ends[0], ends[1]}) ::close(fd);
  capture_for_test(nullptr);
  EXPECT_EQ(writer.size(), 1U);
  EXPECT_TRUE(in_time) << "it waits for a reader";
}

TEST(Logger, a_redaction_is_counted_and_followed_by_a_violation_line) {
  Capture capture;
  const auto before = redaction_violations();
  log(Event::server_draining, {{"api_token", "abc"}});
  ASSERT_EQ(capture.lines.size(), 2U);
  EXPECT_FALSE(capture.lines[0].contains("abc"));
  EXPECT_TRUE(capture.lines[1].contains(
      R"("level":"ERROR","event":"audit.redaction_violation","field":"api_token","source":"server.draining")"));
  EXPECT_EQ(redaction_violations(), before + 1);
}

TEST(Logger, every_event_has_a_name_and_a_meaning_and_none_is_declared_twice) {
  std::set<std::pair<std::string_view, Target>> seen;
  for (const EventInfo& event : kEvents) {
    EXPECT_FALSE(event.name.empty());
    EXPECT_FALSE(event.meaning.empty()) << event.name;
    EXPECT_TRUE(seen.insert({event.name, event.target}).second) << event.name;
  }
}

}  // namespace
}  // namespace portunus::log
