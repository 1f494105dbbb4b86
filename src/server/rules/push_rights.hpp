#pragma once

#include <functional>
#include <optional>

#include "common/base/result.hpp"
#include "common/model/grant_miss.hpp"
#include "common/model/rule.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::store {
class Connection;
}

namespace portunus::server::rules {

/// Whether the rule's owner may have it on that client, superadmin or not: nothing, or what he
/// lacks. The rules do not know grants; the composition root gives them this. Called inside a
/// transaction on a thread of the store, so it touches nothing but the connection.
using PushRights = std::function<Result<std::optional<model::GrantMiss>>(
    store::Connection&, const store::ClientRef&, const model::RuleSpec&)>;

}  // namespace portunus::server::rules
