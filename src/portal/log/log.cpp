#include "portal/log/log.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <utility>

#include "portal/log/record.hpp"

namespace portunus::portal::log {
namespace {

/// What may wait for a reader who does not read.
constexpr std::size_t kMaxPending = std::size_t{4} << 20U;
constexpr auto kFlushLimit = std::chrono::seconds(2);

}  // namespace

bool wants_colour(int fd) {
  return isatty(fd) == 1 && std::getenv("NO_COLOR") == nullptr;
}

Log::Log(Level threshold, bool colour, int fd) : threshold_(threshold), colour_(colour), fd_(fd) {
  if (threshold == Level::none) return;  // nothing will ever be written
  // Signals belong to the program's own loop.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), "log");
  if (threshold != Level::info) {
    write(threshold, fmt::format("log level: {}", level_name(threshold)));
  }
}

Log::~Log() {
  if (!thread_.joinable()) return;
  flush();
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Log::write(Level level, std::string_view message) {
  if (!shown(level)) return;
  const std::string record =
      format_record(std::chrono::system_clock::now(), level, message, colour_);
  {
    const std::lock_guard lock(mutex_);
    if (pending_.size() + writing_ + record.size() > kMaxPending) {
      ++lost_;
      return;
    }
    pending_ += record;
  }
  wake_.notify_one();
}

void Log::flush() {
  std::unique_lock lock(mutex_);
  if (stuck_) return;
  stuck_ = !idle_.wait_for(lock, kFlushLimit, [this] { return pending_.empty() && writing_ == 0; });
}

void Log::run() {
  std::string text;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || !pending_.empty(); });
    if (stop_) return;
    text.clear();
    text.swap(pending_);
    const std::uint64_t lost = std::exchange(lost_, 0);
    writing_ = text.size();
    lock.unlock();
    if (lost > 0 && shown(Level::warn)) {
      text += format_record(std::chrono::system_clock::now(), Level::warn,
                            fmt::format("{} log records were lost", lost), colour_);
    }
    put_all(text);
    lock.lock();
    writing_ = 0;
    stuck_ = false;
    if (pending_.empty()) idle_.notify_all();
  }
}

/// A reader who is gone loses his records and nothing else; one who is slow is waited for, until
/// the log itself goes.
void Log::put_all(std::string_view text) {
  while (!text.empty()) {
    pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, 100) == 0) {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
      continue;
    }
    // A pipe that is ready has room for this much, so the call does not block.
    const ssize_t put = ::write(fd_, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (put >= 0) {
      text.remove_prefix(static_cast<std::size_t>(put));
    } else if (errno != EINTR && errno != EAGAIN) {
      return;
    }
  }
}

}  // namespace portunus::portal::log
