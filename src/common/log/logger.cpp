#include "common/log/logger.hpp"

#include <poll.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "common/log/filter.hpp"

namespace portunus::log {
namespace {

constexpr std::size_t kQueueLines = 8192;
constexpr int kStallMillis = 50;
constexpr std::chrono::milliseconds kFlushPatience(1000);

/// Writes a line with one call, and drops it when stderr takes nothing for a while.
class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  std::uint64_t flushed() {
    const std::lock_guard lock(flushed_mutex_);
    return flushed_;
  }
  void wait_beyond(std::uint64_t count, std::chrono::milliseconds patience) {
    std::unique_lock lock(flushed_mutex_);
    flushed_changed_.wait_for(lock, patience, [&] { return flushed_ > count; });
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& msg) override {
    line_.assign(msg.payload.data(), msg.payload.size());
    line_ += '\n';
    std::string_view rest = line_;
    while (!rest.empty()) {
      pollfd p{STDERR_FILENO, POLLOUT, 0};
      const int ready = ::poll(&p, 1, stalled_ ? 0 : kStallMillis);
      if (ready < 0 && errno == EINTR) continue;
      stalled_ = ready == 0;
      if (ready <= 0) return;
      const ssize_t n = ::write(STDERR_FILENO, rest.data(), rest.size());
      if (n < 0 && errno != EINTR) return;
      if (n > 0) rest.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  /// Only log::flush() asks for it.
  void flush_() override {
    {
      const std::lock_guard lock(flushed_mutex_);
      ++flushed_;
    }
    flushed_changed_.notify_all();
  }

 private:
  std::mutex flushed_mutex_;
  std::condition_variable flushed_changed_;
  std::uint64_t flushed_ = 0;
  std::string line_;
  bool stalled_ = false;
};

struct State {
  std::array<std::atomic<bool>, kEvents.size()> enabled{};
  Filter filter;
  Target program = Target::server;
  Format format = Format::json;
  bool colour = false;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<StderrSink> sink;
  std::shared_ptr<spdlog::async_logger> logger;
  std::function<void(std::string_view)> capture;
  std::atomic<std::uint64_t> violations{0};
};

State& state() {
  // Never destroyed: threads may log while the process leaves main.
  static State* const instance = new State;
  return *instance;
}

Level threshold(const State& s, const EventInfo& e) {
  return s.filter.threshold(target_name(e.target == Target::process ? s.program : e.target));
}

void apply_filter(State& s, std::string_view directive) {
  s.filter = Filter::parse(directive);
  for (std::size_t i = 0; i < kEvents.size(); ++i) {
    const EventInfo& e = kEvents[i];
    s.enabled[i].store(e.level >= threshold(s, e), std::memory_order_relaxed);
  }
}

void write(State& s, std::string_view line) {
  if (s.capture) {
    s.capture(line);
  } else if (s.logger) {
    s.logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  }
}

}  // namespace

std::string_view level_name(Level level) {
  switch (level) {
    case Level::trace:
      return "TRACE";
    case Level::debug:
      return "DEBUG";
    case Level::info:
      return "INFO";
    case Level::warn:
      return "WARN";
    case Level::error:
      return "ERROR";
    case Level::off:
      return "OFF";
  }
  return "";
}

std::string_view target_name(Target target) {
  switch (target) {
    case Target::process:
    case Target::server:
      return "server";
    case Target::client:
      return "client";
    case Target::standalone:
      return "standalone";
    case Target::dataplane:
      return "dataplane";
    case Target::dataplane_tcp:
      return "dataplane.tcp";
    case Target::dataplane_udp:
      return "dataplane.udp";
    case Target::dataplane_dns:
      return "dataplane.dns";
    case Target::tls_sni:
      return "tls_sni";
  }
  return "";
}

void start(const Options& options) {
  State& s = state();
  s.format = options.format;
  s.program = options.program;
  const char* no_colour = std::getenv("NO_COLOR");
  s.colour = options.format == Format::compact && ::isatty(STDERR_FILENO) == 1 &&
             (no_colour == nullptr || *no_colour == '\0');
  apply_filter(s, options.filter);
  s.pool = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
  s.sink = std::make_shared<StderrSink>();
  s.sink->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
  s.logger = std::make_shared<spdlog::async_logger>("portunus", s.sink, s.pool,
                                                    spdlog::async_overflow_policy::overrun_oldest);
}

void stop() {
  State& s = state();
  // The pool's destructor joins its thread, which skips lines quickly once stderr stalls.
  s.logger.reset();
  s.pool.reset();
  s.sink.reset();
}

void flush() {
  State& s = state();
  if (!s.logger) return;
  // It takes its place in the queue, behind the lines.
  const std::uint64_t before = s.sink->flushed();
  s.logger->flush();
  s.sink->wait_beyond(before, kFlushPatience);
}

void capture_for_test(std::function<void(std::string_view)> capture, std::string_view filter) {
  State& s = state();
  s.capture = std::move(capture);
  apply_filter(s, s.capture ? filter : "off");
}

bool enabled(Event event) {
  return state().enabled[static_cast<std::size_t>(event)].load(std::memory_order_relaxed);
}

void log(Event event, Fields fields) {
  if (enabled(event)) log_fields(info(event).level, event, {fields.begin(), fields.size()});
}

void log_at(Level level, Event event, Fields fields) {
  log_fields(level, event, {fields.begin(), fields.size()});
}

void log_fields(Level level, Event event, std::span<const Field> fields) {
  State& s = state();
  const EventInfo& e = info(event);
  if (level < threshold(s, e)) return;
  const SystemTime now = SystemClock::instance().now();
  std::string violation;
  write(s, build_line(s.format, s.colour, now, level, e.name, fields, &violation));
  if (!violation.empty()) {
    s.violations.fetch_add(1, std::memory_order_relaxed);
    const Field report[] = {{"field", violation}, {"source", e.name}};
    write(s, build_line(s.format, s.colour, now, Level::error,
                        info(Event::redaction_violation).name, report, nullptr));
  }
}

std::uint64_t redaction_violations() {
  return state().violations.load(std::memory_order_relaxed);
}

}  // namespace portunus::log
