#pragma once

#include <nlohmann/json_fwd.hpp>

namespace portunus::server::cli {

/// Answers keep the API's order of members when they are printed.
using Json = nlohmann::ordered_json;

}  // namespace portunus::server::cli
