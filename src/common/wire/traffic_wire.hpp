#pragma once

#include <cstdint>

#include "common/model/traffic.hpp"
#include "portunus/v1/stats.pb.h"

namespace portunus::wire {

/// Fills a StatsReport in the given order: every rule, idle ones too, and every port in SNI mode;
/// owners, and the limits of a rule, only with something to say (control-wire 2.5, data-plane
/// section 15). `out` must be empty.
void report_to_wire(const model::TrafficReport& report, std::uint64_t sent_at_unix_ms,
                    v1::StatsReport& out);

/// A report as a peer of any release sent it, in its order. What the numbers count from is the
/// session's affair (control-wire section 8); an id may be foreign or occur twice. Reject reasons
/// of a newer peer are dropped, and the buckets of one with other bounds.
model::TrafficReport report_from_wire(const v1::StatsReport& report);

}  // namespace portunus::wire
