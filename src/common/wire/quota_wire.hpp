#pragma once

#include <expected>
#include <optional>
#include <string>

#include "common/model/quota.hpp"
#include "portunus/v1/quota.pb.h"

namespace portunus::wire {

/// The traffic quota of one owner on one edge, set or removed (control-wire 2.4).
struct QuotaUpdate {
  /// For the log only.
  std::string request_id;
  std::string user_id;
  /// Of the addressed edge; information for the receiver.
  std::string client_id;
  std::string client_name;
  /// Of a SET; nothing is a REMOVE.
  std::optional<model::QuotaState> state;
};
/// `out` must be empty.
void quota_to_wire(const QuotaUpdate& update, v1::TrafficQuotaUpdate& out);

/// Why an update is ignored.
enum class QuotaFault {
  unspecified_action,  ///< neither SET nor REMOVE
  set_without_state,
};
std::expected<QuotaUpdate, QuotaFault> quota_from_wire(const v1::TrafficQuotaUpdate& update);

}  // namespace portunus::wire
