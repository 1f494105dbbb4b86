#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "portal/protocol/bytes.hpp"

namespace portunus::portal::protocol {

inline constexpr std::size_t kUotLengthSize = 2;
inline constexpr std::size_t kMaxUotPacket = 65535;

/// The frame that follows the switch request (portal 6.4). Refuses a target outside the grammar.
Result<Frame> encode_uot_setup(std::string_view target);
/// The two bytes before a packet. `size` is at most kMaxUotPacket.
std::array<std::uint8_t, kUotLengthSize> uot_length(std::size_t size);
/// Length and packet in one. Errc::packet_too_long above kMaxUotPacket.
Result<Frame> encode_uot_packet(Bytes packet);

/// Reads the setup frame from bytes that come in any pieces. After an error it must not be fed
/// again.
class UotSetupReader {
 public:
  /// Takes what belongs to the frame and says how much; the rest are packets.
  Result<std::size_t> feed(Bytes bytes);
  bool complete() const { return header_ == kUotLengthSize && target_.size() == length_; }
  /// Whole once complete().
  const std::string& target() const { return target_; }

 private:
  std::string target_;
  std::size_t length_ = 0;
  std::size_t header_ = 0;
};

/// Reads packets from bytes that come in any pieces. A packet that came whole is handed out where
/// it lies; only one in pieces is copied, into memory that grows with what really came.
class UotReader {
 public:
  struct Step {
    std::size_t consumed = 0;
    /// One packet, which may be empty; valid until the next feed() and while the fed bytes are.
    std::optional<Bytes> packet;
  };
  /// Takes bytes up to the end of one packet. Call again with the rest until it is all consumed.
  Step feed(Bytes bytes);
  /// An end of the stream now would cut a frame.
  bool in_frame() const { return header_ != 0; }

 private:
  Frame partial_;
  std::size_t length_ = 0;
  std::size_t header_ = 0;  ///< bytes of the length taken
};

}  // namespace portunus::portal::protocol
