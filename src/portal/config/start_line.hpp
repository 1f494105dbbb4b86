#pragma once

#include <string>

#include "portal/config/portal_config.hpp"

namespace portunus::portal::config {

/// The message of the start record (portal 3): the effective, decoded values, port 0 as it was
/// given.
std::string start_line(const PortalConfig& config);

}  // namespace portunus::portal::config
