#include "common/model/running_total.hpp"

namespace portunus::model {

std::uint64_t rise(std::uint64_t baseline, std::uint64_t value) {
  return value > baseline ? value - baseline : 0;
}

}  // namespace portunus::model
