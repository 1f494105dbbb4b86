#pragma once

#include <netinet/in.h>

#include <cstdint>

namespace portunus::dataplane::udp {

/// What identifies a flow (UDP-2): source address, source port and listen port, in one word, since
/// listening sockets are IPv4 (UDP-1). Never zero, because no listen port is.
class FlowKey {
 public:
  FlowKey() = default;
  FlowKey(const sockaddr_in& source, std::uint16_t listen_port)
      : word_(static_cast<std::uint64_t>(ntohl(source.sin_addr.s_addr)) << 32 |
              static_cast<std::uint64_t>(ntohs(source.sin_port)) << 16 | listen_port) {}

  std::uint64_t word() const { return word_; }
  std::uint16_t listen_port() const { return static_cast<std::uint16_t>(word_); }
  sockaddr_in source() const {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_addr.s_addr = htonl(static_cast<std::uint32_t>(word_ >> 32));
    out.sin_port = htons(static_cast<std::uint16_t>(word_ >> 16));
    return out;
  }
  friend bool operator==(const FlowKey&, const FlowKey&) = default;

 private:
  std::uint64_t word_ = 0;
};

}  // namespace portunus::dataplane::udp
