#pragma once

#include <chrono>
#include <expected>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "common/net/unique_fd.hpp"

namespace portunus::standalone {

/// A reader's end of the stats socket: whole JSON lines, each at most 1 MiB. One thread.
class StatsReader {
 public:
  /// The error is a text for people.
  static std::expected<StatsReader, std::string> connect(const std::filesystem::path& path);

  /// For poll(): readable when next() may have something.
  int fd() const { return fd_.get(); }
  enum class State { line, nothing_yet, ended };
  struct Next {
    State state;
    nlohmann::json message;
    std::string error;  ///< of an end that is not the daemon's own
  };
  /// The next line; waits for it at most `patience`.
  Next next(std::chrono::milliseconds patience);

 private:
  explicit StatsReader(net::UniqueFd fd) : fd_(std::move(fd)) {}

  net::UniqueFd fd_;
  std::string buffer_;
};

}  // namespace portunus::standalone
