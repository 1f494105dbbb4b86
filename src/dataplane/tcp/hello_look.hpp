#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace portunus::dataplane::tcp {

/// What the receive queue of an accepted socket says about its ClientHello.
struct HelloLook {
  enum class State : std::uint8_t {
    waiting,  ///< not yet anything; `wanted` bytes may change that
    hello,    ///< a whole one, perhaps without a name
    not_tls,
    malformed,
    closed,  ///< the peer ended the stream or broke it
  } state;
  /// As sni::Hello gives it.
  std::string server_name = {};
  std::size_t wanted = 1;
};

/// Looks without taking: the bytes stay in the kernel and reach the rule's connection as if nobody
/// had seen them (SNI-8). So they count, draw on quotas and wait for caps as all others do (CNT-4),
/// splice may move them, and a peek costs no memory, however slow its peer is. The price is one
/// more receive for a connection whose hello is routed.
///
/// `scratch` holds a whole record (16 389 bytes). Never blocks.
HelloLook look_for_hello(int socket, std::span<std::byte> scratch);

}  // namespace portunus::dataplane::tcp
