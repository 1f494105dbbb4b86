#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace portunus::server::metrics {

/// Operator requests by outcome and reason. The reasons are the API's own codes, so the number of
/// rows has a bound. Domain executor.
class RequestCounter {
 public:
  using Key = std::pair<std::string, std::string>;  ///< outcome, reason

  void count(std::string_view outcome, std::string_view reason) { ++counts_[Key(outcome, reason)]; }
  const std::map<Key, std::uint64_t>& counts() const { return counts_; }

 private:
  std::map<Key, std::uint64_t> counts_;
};

}  // namespace portunus::server::metrics
