#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/model/rule.hpp"
#include "server/rules/rule_service.hpp"

namespace portunus::server::rules {

// The checks of a push in the order of http-api 8.2, without any state. The rows that need the
// store or the session stand between these functions; RuleService::push calls all in their order.
// What this release does not have is refused as not_available at the place of its first check.

/// The ports of a request that passed rows 1 to 9.
struct PushShape {
  std::uint16_t listen_port = 0;
  std::uint32_t listen_count = 1;
  std::uint16_t target_port = 0;
  std::uint32_t target_count = 1;
};

/// Rows 1 to 9.
Result<PushShape> check_shape(const PushRequest& request);
/// The protocol word of row 10, in any case.
Result<model::Protocol> check_protocol(std::string_view word);
/// Row 12: the canonical target host.
Result<std::string> check_target_host(std::string_view host);
/// Rows 14 (which for UDP comes after 15), 16 and 17.
Result<> check_available(model::Protocol protocol, const PushShape& shape);

/// Row 18 for one stored rule: true when it keeps the port from a new rule of that client and
/// protocol (http-api 8.4). A pending rule blocks nothing.
bool blocks_port(const store::RuleRow& rule, std::string_view client_id, model::Protocol protocol,
                 std::uint16_t listen_port);

}  // namespace portunus::server::rules
