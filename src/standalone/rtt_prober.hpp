#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "standalone/viewer_state.hpp"

namespace portunus::standalone {

/// Measures how long a connect to each TCP rule's target takes, every 2 s, on a thread of its own,
/// because looking names up blocks. Stops with its destructor.
class RttProber {
 public:
  struct Target {
    std::string rule_id;
    std::string host;  ///< without brackets
    std::uint16_t port;
  };
  explicit RttProber(std::vector<Target> targets);

  struct Result {
    std::string rule_id;
    Rtt rtt;
  };
  /// What was measured since the last call.
  std::vector<Result> take();

 private:
  void run(const std::stop_token& stop);

  const std::vector<Target> targets_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::vector<Result> results_;
  std::jthread thread_;
};

}  // namespace portunus::standalone
