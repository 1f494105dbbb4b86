#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace portunus::server::owner_caps {

/// The way from the owner caps to the edges; `control` implements it. Domain executor; calls only
/// queue and never wait.
class OwnerCapSink {
 public:
  enum class Told : std::uint8_t {
    queued,
    absent,   ///< no live session, or one whose client knows no limits: a replay tells a later one
    refused,  ///< the session could not take it and is over
  };

  virtual ~OwnerCapSink() = default;
  /// The release the client announced, empty when it named none; nothing while it is not connected.
  virtual std::optional<std::string_view> client_version(std::string_view client_id) const = 0;
  /// The owner's caps on that client were set or removed. The session asks for them when the
  /// message's turn comes, so older ones never follow newer ones.
  virtual Told owner_caps_changed(std::string_view client_id, std::string_view owner_id) = 0;
};

}  // namespace portunus::server::owner_caps
