#pragma once

#include <optional>
#include <string_view>

#include "common/base/result.hpp"
#include "server/rules/rule_book.hpp"

namespace portunus::server::rules {

/// Why a new rule cannot share its ports with what the client has (http-api 8.4). Compared are the
/// active and failed rules of that client and protocol; a pending rule blocks nothing.
std::optional<Error> find_conflict(const RuleBook& book, std::string_view client_id,
                                   const model::RuleSpec& candidate);

}  // namespace portunus::server::rules
