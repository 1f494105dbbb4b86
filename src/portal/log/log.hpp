#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "portal/log/level.hpp"

namespace portunus::portal::log {

/// The Portal's log on stdout (portal 3). Thread-safe: a record is formatted by its writer and
/// handed to a thread of the log's own, so that a reader who does not read holds up nobody. What he
/// leaves behind is bounded; records beyond that are counted and reported once there is room.
/// Destruction flushes.
class Log {
 public:
  /// Writes to `fd`, which stays the caller's. Logs the confirming record of debug, warn, error and
  /// event.
  Log(Level threshold, bool colour, int fd = 1);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Ask before formatting anything.
  bool shown(Level level) const { return level >= threshold_ && level != Level::none; }
  void write(Level level, std::string_view message);
  /// Until all records so far are written, at most for two seconds: a reader may be stuck. One who
  /// was is not waited for again until he has read.
  void flush();

 private:
  void run();
  void put_all(std::string_view text);

  const Level threshold_;
  const bool colour_;
  const int fd_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::string pending_;
  std::uint64_t lost_ = 0;
  std::size_t writing_ = 0;  ///< bytes the thread has taken and not written yet
  bool stuck_ = false;       ///< the last flush was in vain
  bool stop_ = false;
  std::thread thread_;
};

/// Colour is for a terminal without NO_COLOR (portal 3).
bool wants_colour(int fd);

}  // namespace portunus::portal::log
