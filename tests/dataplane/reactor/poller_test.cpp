#include "dataplane/reactor/poller.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/post.hpp>
#include <functional>
#include <optional>
#include <vector>

#include "common/net/unique_fd.hpp"

namespace portunus::dataplane::reactor {
namespace {

constexpr std::uint32_t kEdges = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

class Ends {
 public:
  Ends() {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) return;
    near_.reset(fds[0]);
    far_.reset(fds[1]);
  }
  int near() const { return near_.get(); }
  void push(char c = 'x') const { EXPECT_EQ(::write(far_.get(), &c, 1), 1); }
  void pull() const {
    std::array<char, 16> bytes;
    EXPECT_GT(::read(near_.get(), bytes.data(), bytes.size()), 0);
  }
  void close_near() { near_.reset(); }

 private:
  net::UniqueFd near_;
  net::UniqueFd far_;
};

class Watcher final : public Pollable {
 public:
  explicit Watcher(std::function<void(std::uint32_t)> f) : f_(std::move(f)) {}
  void on_ready(std::uint32_t events) override { f_(events); }

 private:
  std::function<void(std::uint32_t)> f_;
};

class Later final : public Deferred {
 public:
  explicit Later(std::function<void()> f) : f_(std::move(f)) {}
  void run_deferred() override { f_(); }

 private:
  std::function<void()> f_;
};

class PollerTest : public testing::Test {
 protected:
  PollerTest() { EXPECT_TRUE(poller_.start().has_value()); }
  void run_until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done() && std::chrono::steady_clock::now() < deadline) {
      context_.run_one_for(std::chrono::milliseconds(100));
    }
    EXPECT_TRUE(done());
  }

  boost::asio::io_context context_{1};
  Poller poller_{context_};
};

TEST_F(PollerTest, reports_each_arrival_of_a_descriptor_registered_once) {
  const Ends ends;
  int reads = 0;
  Watcher watcher([&](std::uint32_t events) {
    if ((events & EPOLLIN) == 0) return;
    ends.pull();
    ++reads;
  });
  ASSERT_TRUE(poller_.watch(ends.near(), watcher, kEdges));
  for (int i = 1; i <= 5; ++i) {
    ends.push();
    run_until([&] { return reads == i; });
  }
}

TEST_F(PollerTest, rewatching_asks_for_other_events_and_reports_what_is_ready_anew) {
  const Ends ends;
  std::vector<std::uint32_t> seen;
  Watcher watcher([&](std::uint32_t events) { seen.push_back(events); });
  EXPECT_FALSE(poller_.rewatch(ends.near(), watcher, EPOLLIN | EPOLLET)) << "not watched yet";
  ASSERT_TRUE(poller_.watch(ends.near(), watcher, EPOLLIN | EPOLLET));
  ends.push();
  run_until([&] { return !seen.empty(); });
  EXPECT_EQ(seen.back(), std::uint32_t{EPOLLIN});
  ASSERT_TRUE(poller_.rewatch(ends.near(), watcher, EPOLLIN | EPOLLOUT | EPOLLET));
  run_until([&] { return seen.back() == (EPOLLIN | EPOLLOUT); });
  ASSERT_TRUE(poller_.rewatch(ends.near(), watcher, EPOLLIN | EPOLLET));
  run_until([&] { return seen.back() == EPOLLIN; });
}

TEST_F(PollerTest, work_for_the_next_round_runs_there_and_needs_no_event) {
  int runs = 0;
  std::vector<std::uint64_t> rounds;
  Later* again = nullptr;
  Later later([&] {
    rounds.push_back(poller_.round());
    if (++runs < 3) poller_.run_next_round(*again);
  });
  again = &later;
  poller_.run_next_round(later);
  run_until([&] { return runs == 3; });
  EXPECT_LT(rounds[0], rounds[1]);
  EXPECT_LT(rounds[1], rounds[2]);
}

TEST_F(PollerTest, an_object_closed_by_an_earlier_event_of_the_batch_is_released_after_it) {
  std::array<Ends, 2> ends;
  std::vector<std::string> story;
  Later release([&] { story.push_back("released"); });
  const auto on_event = [&](std::size_t own) {
    return [&, own](std::uint32_t events) {
      if ((events & EPOLLIN) == 0) return;
      story.push_back("event");
      ends[own].pull();
      // Either comes first; it closes the other and asks for its release.
      if (story.size() > 1) return;
      ends[1 - own].close_near();
      poller_.run_after_batch(release);
    };
  };
  Watcher a(on_event(0));
  Watcher b([&](std::uint32_t events) {
    if ((events & EPOLLIN) == 0) return;
    story.push_back(story.empty() ? "event" : "late event");
  });
  ends[0].push();
  ends[1].push();
  ASSERT_TRUE(poller_.watch(ends[0].near(), a, kEdges));
  ASSERT_TRUE(poller_.watch(ends[1].near(), b, kEdges));
  run_until([&] { return !story.empty() && story.back() == "released"; });
  // Both were in one batch, so the second was still told; it must not be gone by then.
  EXPECT_EQ(story, (std::vector<std::string>{"event", "late event", "released"}));
}

TEST_F(PollerTest, release_follows_at_once_when_a_timer_or_post_asks_for_it) {
  int released = 0;
  Later release([&] { ++released; });
  {
    const Poller::Entry entry(poller_);
    poller_.run_after_batch(release);
    EXPECT_EQ(released, 0);
  }
  EXPECT_EQ(released, 1);
}

TEST_F(PollerTest, destroyed_work_is_not_run) {
  bool ran = false;
  {
    Later later([&] { ran = true; });
    poller_.run_next_round(later);
  }
  context_.run_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(ran);
}

TEST_F(PollerTest, an_unwatched_descriptor_is_silent) {
  const Ends ends;
  bool called = false;
  Watcher watcher([&](std::uint32_t) { called = true; });
  ASSERT_TRUE(poller_.watch(ends.near(), watcher, EPOLLIN));
  poller_.unwatch(ends.near());
  ends.push();
  context_.run_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(called);
}

TEST_F(PollerTest, a_busy_descriptor_does_not_keep_posts_out) {
  const Ends ends;
  std::uint64_t rounds = 0;
  Watcher watcher([&](std::uint32_t) { ++rounds; });
  ends.push();
  ASSERT_TRUE(poller_.watch(ends.near(), watcher, EPOLLIN));
  bool posted = false;
  run_until([&] { return rounds > 10; });
  boost::asio::post(context_, [&] { posted = true; });
  run_until([&] { return posted; });
}

TEST_F(PollerTest, stop_lets_the_context_run_out_of_work) {
  poller_.stop();
  poller_.stop();
  context_.run();
  EXPECT_TRUE(context_.stopped());
}

TEST_F(PollerTest, a_bad_descriptor_is_refused_with_errno) {
  Watcher watcher([](std::uint32_t) {});
  EXPECT_FALSE(poller_.watch(-1, watcher, EPOLLIN));
  EXPECT_EQ(errno, EBADF);
}

}  // namespace
}  // namespace portunus::dataplane::reactor
