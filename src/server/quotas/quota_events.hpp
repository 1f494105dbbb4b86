#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/result.hpp"
#include "server/quotas/usage_ledger.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::quotas {

// The quotas' log lines (observability 2).

/// Why an edge was to be told.
enum class Push : std::uint8_t { set, remove, exhaust, rollover };
/// The line of a push that the session refused.
void log_push_failed(Push push, std::string_view user_id, std::string_view client_name);

void log_period_rolled(const store::QuotaRow& quota);
/// One line for what became of an owner's usage, and one for a history that could not be written.
void log_booked(const Booked& booked, std::string_view client_name);
void log_vanished(const Booked& booked, std::string_view client_name);
/// A line per owner.
void log_not_booked(const UnbookedUsage& usage, std::string_view client_name, const Error& error);

}  // namespace portunus::server::quotas
