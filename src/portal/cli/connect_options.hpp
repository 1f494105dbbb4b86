#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <variant>

namespace portunus::portal::cli {

enum class Carrier : std::uint8_t { tcp, quic };

/// `portunus-portal connect <portal-url> --listen <ip:port> --target <host:port> …`, as typed.
struct ConnectOptions {
  std::string url;
  std::string listen;
  std::string target;
  bool udp = false;
  /// Nothing = tcp for TCP and quic for UDP.
  std::optional<Carrier> carrier;
  std::optional<std::string> pin;
  bool insecure = false;
  std::size_t pool = 5;

  Carrier effective_carrier() const { return carrier.value_or(udp ? Carrier::quic : Carrier::tcp); }
};

/// Nothing to run: help was printed (0), or the usage was wrong (2).
struct ConnectDone {
  int exit_code;
};

/// `argv` as the program got it, the word `connect` being argv[1]. Help goes to `out`, errors to
/// `err`.
std::variant<ConnectOptions, ConnectDone> parse_connect(int argc, const char* const* argv,
                                                        std::ostream& out, std::ostream& err);

}  // namespace portunus::portal::cli
