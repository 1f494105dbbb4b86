#pragma once

#include <string>
#include <string_view>

#include "client/agent/server_address.hpp"
#include "common/base/result.hpp"
#include "common/base/secret.hpp"

namespace portunus::client::agent {

/// What an operator hands to a new edge (control-wire 10.1).
struct EnrollUri {
  ServerAddress server;
  /// 64 lower-case hex digits.
  std::string pin;
  Secret code;
  /// Empty when the URI carries none. Readable, but not yet held against the pin.
  std::string certificate_pem;
};

/// The errors are the `enrollment URI` details of cli-and-config section 7, never with the code.
Result<EnrollUri> parse_enroll_uri(std::string_view uri);

}  // namespace portunus::client::agent
