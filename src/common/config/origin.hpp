#pragma once

#include <string_view>

namespace portunus::config {

/// operator_http_public_origin: http(s)://host[:port] and nothing else (cli-and-config 3).
bool is_public_origin(std::string_view text);

}  // namespace portunus::config
