#pragma once

#include <expected>

#include "common/net/unique_fd.hpp"
#include "dataplane/tcp/fwd.hpp"

namespace portunus::dataplane::tcp {

/// A socket on its way to the rule's target: writable without an error once it is connected
/// (TCP-5). The error is an errno. Never blocks.
std::expected<net::UniqueFd, int> begin_dial(const TcpRule& rule);

}  // namespace portunus::dataplane::tcp
