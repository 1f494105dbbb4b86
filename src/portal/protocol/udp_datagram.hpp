#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "common/base/result.hpp"
#include "portal/protocol/bytes.hpp"
#include "portal/protocol/spec.hpp"

namespace portunus::portal::protocol {

enum class DatagramType : std::uint8_t { request = 1, response = 2, close = 3 };

inline constexpr std::size_t kMinDatagramHeader = 12;

constexpr std::size_t datagram_header_size(std::size_t target_size) {
  return kMinDatagramHeader + target_size;
}

/// A DATAGRAM taken apart; target and payload point into it.
struct DatagramView {
  DatagramType type = DatagramType::request;
  std::uint64_t flow_id = 0;
  std::string_view target;
  Bytes payload;
};

/// The header of a DATAGRAM (portal 6.3) into `out`, which has room for
/// datagram_header_size(target.size()) bytes; returns that size. The target was checked before:
/// nothing here allocates.
std::size_t encode_datagram_header(const Spec& spec, DatagramType type, std::uint64_t flow_id,
                                   std::string_view target, std::span<std::uint8_t> out);

/// Any of the three types; a receiver decides which it takes. Allocates nothing, not even for an
/// error.
Result<DatagramView> decode_datagram(const Spec& spec, Bytes datagram);

}  // namespace portunus::portal::protocol
