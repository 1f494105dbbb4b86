#include "common/model/running_total.hpp"

#include <algorithm>
#include <limits>

namespace portunus::model {

std::uint64_t rise(std::uint64_t baseline, std::uint64_t value) {
  return value > baseline ? value - baseline : 0;
}

void add_rise(std::uint64_t& total, std::uint64_t delta) {
  total += std::min(delta, std::numeric_limits<std::uint64_t>::max() - total);
}

}  // namespace portunus::model
