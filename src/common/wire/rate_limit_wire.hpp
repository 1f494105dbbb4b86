#pragma once

#include <expected>
#include <optional>
#include <string>

#include "common/model/rate_limit.hpp"
#include "portunus/v1/quota.pb.h"
#include "portunus/v1/rule.pb.h"

namespace portunus::wire {

/// Fills a RateLimit with the caps that are there. An empty envelope has no place on the wire: its
/// holder leaves the field out (control-wire section 3). `out` must be empty.
void rate_limit_to_wire(const model::RateLimit& limit, v1::RateLimit& out);
/// The caps as a peer sent them, validated as an operator's are.
std::expected<model::RateLimit, model::RateLimitFault> rate_limit_from_wire(
    const v1::RateLimit& limit);

/// Limits of one owner on one edge, set or removed (control-wire 2.4).
struct OwnerLimitUpdate {
  enum class Action { set, remove } action = Action::set;
  /// Of the addressed edge; information for the receiver.
  std::string client_id;
  std::string client_name;
  std::string owner_id;
  /// Of a SET; without it, and with an empty one, the owner has no caps any more.
  std::optional<model::RateLimit> limit;
};
/// `out` must be empty.
void owner_limit_to_wire(const OwnerLimitUpdate& update, v1::OwnerRateLimitUpdate& out);

/// Why an update is ignored.
enum class OwnerLimitFault {
  unspecified_action,  ///< neither SET nor REMOVE
  invalid_caps,        ///< an envelope that no operator could have set
};
/// An absent or empty envelope reads as none; that of a REMOVE is not looked at.
std::expected<OwnerLimitUpdate, OwnerLimitFault> owner_limit_from_wire(
    const v1::OwnerRateLimitUpdate& update);

}  // namespace portunus::wire
