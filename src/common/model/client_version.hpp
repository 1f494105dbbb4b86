#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace portunus::model {

/// A client's release, as far as a capability gate looks at it (control-wire 9).
struct ClientVersion {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  friend auto operator<=>(const ClientVersion&, const ClientVersion&) = default;
};

// The first releases that understand a feature.
inline constexpr ClientVersion kNeedsTargetList{0, 7};
inline constexpr ClientVersion kNeedsSni{0, 9};
inline constexpr ClientVersion kNeedsProxyProtocol{0, 10};
inline constexpr ClientVersion kNeedsRateLimit{0, 11};
inline constexpr ClientVersion kNeedsQuota{1, 4};

/// Everything from the first `-` or `+` on is left out; a part that is missing or no number is 0.
ClientVersion parse_client_version(std::string_view text);

/// False also for an empty text: a client that never said what it is. Where a contract lets such a
/// client pass, the caller asks for that first.
bool supports(std::string_view announced, ClientVersion needed);

}  // namespace portunus::model
