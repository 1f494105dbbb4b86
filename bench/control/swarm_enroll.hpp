#pragma once

#include <string>
#include <vector>

#include "bench/control/swarm_channel.hpp"

namespace portunus::bench {

/// Redeems each code at the enrollment service, a short connection each as edges do it, a few at
/// a time. The tokens in the order of the codes; an empty one where the server refused, which is
/// written to stderr.
std::vector<std::string> enroll(const ServerAddress& server, const std::vector<std::string>& codes,
                                unsigned at_once);

}  // namespace portunus::bench
