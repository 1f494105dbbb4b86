#pragma once

#include <functional>
#include <string_view>

namespace portunus::server::store {

/// Sees every stored hash of a table with the id of its row. A secret is looked up by comparing it
/// with all of them, so that the time taken tells nothing about where a hash differs (http-api 2);
/// an index lookup would.
using HashVisitor = std::function<void(std::string_view hash, std::string_view id)>;

}  // namespace portunus::server::store
