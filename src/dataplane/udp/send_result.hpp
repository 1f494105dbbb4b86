#pragma once

#include <cerrno>
#include <cstdint>

namespace portunus::dataplane::udp {

/// What an error of an upstream socket means for the datagram and for its flow (data-plane section
/// 7, "Send results"; the same for receives, UDP-11).
enum class SendResult : std::uint8_t {
  dropped,   ///< the datagram is lost, the flow stays: send_dropped
  too_long,  ///< likewise: emsgsize
  evicts,    ///< the target is gone, and the flow with it: icmp_evict
};

constexpr SendResult classify(int error) {
  switch (error) {
    case EMSGSIZE:
      return SendResult::too_long;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ECONNRESET:
    case ECONNABORTED:
      return SendResult::evicts;
    default:
      return SendResult::dropped;
  }
}

}  // namespace portunus::dataplane::udp
