#pragma once

#include <cstdint>

namespace portunus::model {

/// What no grant of a user has of what he asks for, in the order of http-api 4.
enum class GrantMiss : std::uint8_t {
  client,    ///< none is for that client
  protocol,  ///< of those, none has the protocol
  ports,     ///< of those, none covers the whole listen range
};

}  // namespace portunus::model
