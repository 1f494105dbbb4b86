#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"

namespace portunus::server::auth {

/// What is known of a client's live session.
struct LiveSession {
  std::string remote_addr;
  SystemTime connected_at;
};

/// The live control sessions as the domain sees them; `control` implements it. Domain executor.
class SessionSink {
 public:
  virtual ~SessionSink() = default;
  virtual std::optional<LiveSession> live_session(std::string_view client_id) const = 0;
  /// Ends the live session, if any, with the given disconnect reason (control-wire 5.2); true when
  /// there was one.
  virtual bool disconnect(std::string_view client_id, std::string_view reason) = 0;
};

}  // namespace portunus::server::auth
