#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/model/traffic.hpp"
#include "portunus/v1/stats.pb.h"

namespace portunus::wire {

/// Fills a StatsReport, one entry per rule in the given order, idle ones too (data-plane section
/// 15). `out` must be empty.
void report_to_wire(std::span<const model::RuleTraffic> rules, std::uint64_t sent_at_unix_ms,
                    v1::StatsReport& out);

/// The entries of a report in its order. What the numbers count from is the session's affair
/// (control-wire section 8); an id may be foreign or occur twice.
std::vector<model::RuleTraffic> report_from_wire(const v1::StatsReport& report);

}  // namespace portunus::wire
