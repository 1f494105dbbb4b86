#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "portal/protocol/bytes.hpp"
#include "portal/protocol/spec.hpp"
#include "portal/protocol/target.hpp"

namespace portunus::portal::protocol {

/// Version, counted target and counted padding at their longest.
inline constexpr std::size_t kMaxTcpRequest = 1 + 2 + kMaxTarget + 1 + 63;

/// The TCP request frame (portal 6.2). Refuses a target outside the grammar.
Result<Frame> encode_tcp_request(const Spec& spec, std::string_view target);

/// Reads one TCP request from bytes that come in any pieces. The spec must outlive it. After an
/// error it must not be fed again.
class TcpRequestReader {
 public:
  explicit TcpRequestReader(const Spec& spec) : spec_(&spec) {}

  /// Takes what belongs to the frame and says how much that was; the rest is payload. Each field
  /// is refused as soon as it is known to be wrong.
  Result<std::size_t> feed(Bytes bytes);
  bool complete() const { return field_ == spec_->tcp_order().size(); }
  /// A byte of the frame has been taken.
  bool started() const { return started_; }
  /// Whole once complete().
  const std::string& target() const { return target_; }
  bool is_uot() const { return target_ == kUotTarget; }

 private:
  Result<> take_byte(std::uint8_t byte);
  Result<> take_version(std::uint8_t byte);
  Result<> take_target(std::uint8_t byte);
  Result<> take_padding(std::uint8_t byte);
  void next_field();
  /// Once target and padding are both in.
  Result<> check_padding() const;

  const Spec* spec_;
  std::string target_;
  std::array<std::uint8_t, 63> padding_{};
  std::size_t target_len_ = 0;
  std::size_t field_ = 0;     ///< index into the spec's order
  std::size_t in_field_ = 0;  ///< bytes of that field taken so far
  bool started_ = false;
  bool have_target_ = false;
  bool have_padding_ = false;
};

}  // namespace portunus::portal::protocol
