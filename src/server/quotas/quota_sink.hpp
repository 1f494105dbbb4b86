#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace portunus::server::quotas {

/// The way from the quotas to the edges; `control` implements it. Domain executor; calls only queue
/// and never wait.
class QuotaSink {
 public:
  enum class Told : std::uint8_t {
    queued,
    absent,   ///< no live session, or one whose client knows no quotas: a replay tells a later one
    refused,  ///< the session could not take it and is over
  };

  virtual ~QuotaSink() = default;
  /// The release the client announced, empty when it named none; nothing while it is not connected.
  virtual std::optional<std::string_view> client_version(std::string_view client_id) const = 0;
  /// The user's quota on that client was created, changed or removed. The session asks for its
  /// state when the message's turn comes, so an older state never follows a newer one.
  virtual Told quota_changed(std::string_view client_id, std::string_view user_id) = 0;
};

}  // namespace portunus::server::quotas
