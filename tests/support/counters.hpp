#pragma once

#include <cstdint>

#include "common/model/traffic_counters.hpp"

namespace portunus::test {

/// A record in which every counter is `value`.
template <class Record>
Record filled(std::uint64_t value, Record record = {}) {
  model::zip_counters(record, record,
                      [value](std::uint64_t& mine, std::uint64_t) { mine = value; });
  return record;
}

/// A record whose counters are all different, so that no two can be mixed up.
template <class Record>
Record numbered(Record record = {}) {
  std::uint64_t n = 0;
  model::zip_counters(record, record, [&n](std::uint64_t& mine, std::uint64_t) { mine = ++n; });
  return record;
}

}  // namespace portunus::test
