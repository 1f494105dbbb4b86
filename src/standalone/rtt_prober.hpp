#pragma once

#include <netdb.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "standalone/viewer_state.hpp"

namespace portunus::standalone {

/// Measures how long a connect to each TCP rule's target takes, every 2 s, on a thread of its own,
/// because looking names up blocks. Stops with its destructor, which does not wait for a look-up
/// that is under way: with dead name servers it would keep the user from leaving.
class RttProber {
 public:
  struct Target {
    std::string rule_id;
    std::string host;  ///< without brackets
    std::uint16_t port;
  };
  /// ::getaddrinfo; tests put their own in its place.
  using LookUp = int (*)(const char* host, const char* service, const addrinfo* hints,
                         addrinfo** found);
  explicit RttProber(std::vector<Target> targets, LookUp look_up = &::getaddrinfo);
  ~RttProber();
  RttProber(const RttProber&) = delete;
  RttProber& operator=(const RttProber&) = delete;

  struct Result {
    std::string rule_id;
    Rtt rtt;
  };
  /// What was measured since the last call.
  std::vector<Result> take();

 private:
  struct Shared;
  static void run(const std::shared_ptr<Shared>& shared);

  const std::shared_ptr<Shared> shared_;
};

}  // namespace portunus::standalone
