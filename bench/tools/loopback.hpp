#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string_view>

// What both load tools share: they speak IPv4 on loopback only, and any failure ends the
// measurement, so errors are one line on stderr and exit 1.
namespace portunus::bench {

[[noreturn]] void fail(std::string_view what);          // adds the text of errno
[[noreturn]] void usage_error(std::string_view usage);  // exit 2

// Decimal in [low, high]; anything else is a usage error.
std::uint32_t parse_number(std::string_view text, std::uint32_t low, std::uint32_t high,
                           std::string_view usage);

// Connected, TCP_NODELAY, with `timeout_seconds` on every later receive and send.
int connect_loopback(std::uint16_t port, std::uint32_t timeout_seconds);

int listen_loopback(std::uint16_t port);

}  // namespace portunus::bench
