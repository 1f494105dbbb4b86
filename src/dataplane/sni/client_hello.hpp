#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace portunus::dataplane::sni {

/// What the first bytes of a TLS connection say (SNI-5).
struct Hello {
  enum class State : std::uint8_t {
    incomplete,  ///< more bytes are needed
    valid,       ///< a ClientHello; `server_name` may be empty
    not_tls,     ///< not a handshake record of TLS
    malformed,
  } state;
  /// Lower case, without white space and trailing dots at its ends; empty = none was given.
  std::string server_name;
};

/// Looks at all bytes received so far, from the first on. Pure; work is linear in the size, and
/// nothing is allocated before the hello is whole. Bytes behind the first record do not matter.
Hello parse_client_hello(std::span<const std::byte> bytes);

/// How many bytes parse_client_hello() needs before it can say more than `incomplete`, as far as
/// the bytes so far tell: the record type and the major version by themselves, then the rest of the
/// record's header, then the whole record.
std::size_t bytes_for_verdict(std::span<const std::byte> bytes);

}  // namespace portunus::dataplane::sni
