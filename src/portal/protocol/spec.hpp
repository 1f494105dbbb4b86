#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/result.hpp"
#include "portal/protocol/bytes.hpp"

namespace portunus::portal::protocol {

inline constexpr std::string_view kDefaultSpec = "auto";
inline constexpr std::size_t kMaxSpec = 255;
inline constexpr std::uint8_t kWireVersion = 1;
inline constexpr std::size_t kNonceSize = 32;
inline constexpr std::size_t kTagSize = 32;
inline constexpr std::size_t kMagicSize = 8;

using Nonce = std::array<std::uint8_t, kNonceSize>;

enum class AuthField : std::uint8_t { magic, nonce, padding, tag };
enum class TcpField : std::uint8_t { version, target, padding };
enum class UdpField : std::uint8_t { version, type, flow_id, target };

using AuthOrder = std::array<AuthField, 4>;
using TcpOrder = std::array<TcpField, 3>;
using UdpOrder = std::array<UdpField, 4>;

/// Fisher-Yates from the back, one seed byte a step from `offset` on (portal 5).
template <class Order>
Order shuffled(Order order, Bytes seed, std::size_t offset) {
  for (std::size_t last = order.size() - 1; last > 0; --last) {
    std::swap(order[last], order[seed[offset++] % (last + 1)]);
  }
  return order;
}
/// The order of an authentication frame; the start order itself becomes its rotation.
AuthOrder auth_order_from(Bytes seed);

/// Everything that the text of a spec determines (portal 5): layouts, paddings, the HMAC's prefix.
/// The shared key plays no part. Derived once, never changed, so it may be shared by all threads.
class Spec {
 public:
  /// An empty text is `auto`. Refuses more than 255 bytes and what is not UTF-8.
  static Result<Spec> derive(std::string_view text);

  const std::string& text() const { return text_; }
  /// base64url; for diagnostics, never sent.
  const std::string& id() const { return id_; }
  const std::array<std::uint8_t, kMagicSize>& magic() const { return magic_; }
  const std::array<std::uint8_t, 32>& info() const { return info_; }
  const std::array<std::uint8_t, 32>& context() const { return context_; }
  const AuthOrder& auth_order() const { return auth_order_; }
  const TcpOrder& tcp_order() const { return tcp_order_; }
  const UdpOrder& udp_order() const { return udp_order_; }
  /// 1..255.
  std::uint8_t auth_pad_len() const { return auth_pad_len_; }
  /// 0..63.
  std::uint8_t tcp_pad_len() const { return tcp_pad_len_; }
  /// 74..328.
  std::size_t auth_frame_size() const {
    return kMagicSize + kNonceSize + 1 + auth_pad_len_ + kTagSize;
  }

  /// The padding that belongs to a nonce; `out` takes auth_pad_len() bytes.
  void auth_padding(const Nonce& nonce, std::span<std::uint8_t> out) const;
  /// The padding that belongs to a target; `out` takes tcp_pad_len() bytes.
  void tcp_padding(std::string_view target, std::span<std::uint8_t> out) const;

 private:
  Spec() = default;
  std::string text_;
  std::string id_;
  std::array<std::uint8_t, kMagicSize> magic_{};
  std::array<std::uint8_t, 32> info_{};
  std::array<std::uint8_t, 32> context_{};
  std::array<std::uint8_t, 32> auth_pad_key_{};
  std::array<std::uint8_t, 32> tcp_pad_key_{};
  AuthOrder auth_order_{};
  TcpOrder tcp_order_{};
  UdpOrder udp_order_{};
  std::uint8_t auth_pad_len_ = 0;
  std::uint8_t tcp_pad_len_ = 0;
};

}  // namespace portunus::portal::protocol
