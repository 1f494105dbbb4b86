#pragma once

#include <functional>
#include <string_view>

namespace portunus::server::store {

/// Sees the stored hashes of a table, or those that share their beginning with the one looked for,
/// with the ids of their rows. A secret is looked up by comparing its hash in full with each of
/// them, so that the time taken tells nothing about where a hash differs (http-api 2); a lookup of
/// the whole hash in an index would.
using HashVisitor = std::function<void(std::string_view hash, std::string_view id)>;

}  // namespace portunus::server::store
