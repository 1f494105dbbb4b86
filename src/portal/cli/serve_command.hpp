#pragma once

#include <optional>
#include <string_view>

namespace portunus::portal::cli {

/// Runs a Portal from its URL until SIGINT or SIGTERM; the exit status. Blocks; call once, before
/// any other thread runs. A second signal ends the process at once.
int run_serve(std::optional<std::string_view> url);

}  // namespace portunus::portal::cli
