#pragma once

#include <string_view>

namespace portunus::portal::cli {

/// What `help` prints, with its last line feed.
std::string_view help_text();

}  // namespace portunus::portal::cli
