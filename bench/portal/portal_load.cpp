// Load for relays that take TLS or QUIC, and the service at their end. A carrier is direct or tls
// (to is 127.0.0.1:port) or portal-tls or portal-quic (to is a portal URL).
//   portal_load serve <port>
//   portal_load bulk <carrier> <to> <target> <up|down> <flows> <seconds>
//   portal_load packets <carrier> <to> <target> <bytes> <flows> <seconds>
//   portal_load dials <carrier> <to> <target> <at-once> <seconds>
//   portal_load hold <carrier> <to> <target> <connections> <max-seconds>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include "../tools/loopback.hpp"
#include "common/base/descriptor_limit.hpp"
#include "loads.hpp"
#include "service.hpp"

namespace {

namespace bench = portunus::bench;

constexpr std::string_view kUsage =
    "portal_load serve <port> | bulk <carrier> <to> <target> <up|down> <flows> <seconds> | "
    "packets <carrier> <to> <target> <bytes> <flows> <seconds> | "
    "dials <carrier> <to> <target> <at-once> <seconds> | "
    "hold <carrier> <to> <target> <connections> <max-seconds>";

std::uint32_t number(std::string_view text, std::uint32_t low, std::uint32_t high) {
  return bench::parse_number(text, low, high, kUsage);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> args(argv + 1, argv + argc);
  std::signal(SIGPIPE, SIG_IGN);
  [[maybe_unused]] const auto limit = portunus::raise_descriptor_limit();
  if (args.size() == 2 && args[0] == "serve") {
    bench::serve(static_cast<std::uint16_t>(number(args[1], 1, 65535)));
  }
  if (args.size() < 6) bench::usage_error(kUsage);
  const auto carrier = bench::parse_carrier(args[1]);
  if (!carrier) bench::usage_error(kUsage);
  const bench::Way way{*carrier, std::string(args[2]), std::string(args[3])};
  if (args[0] == "bulk" && args.size() == 7 && (args[4] == "up" || args[4] == "down")) {
    bench::bulk(way, args[4] == "up", number(args[5], 1, 1000), number(args[6], 1, 600));
  }
  if (args[0] == "packets" && args.size() == 7) {
    bench::packets(way, number(args[4], 1, 1400), number(args[5], 1, 1000),
                   number(args[6], 1, 600));
  }
  if (args[0] == "dials" && args.size() == 6) {
    bench::dials(way, number(args[4], 1, 1000), number(args[5], 1, 600));
  }
  if (args[0] == "hold" && args.size() == 6) {
    bench::hold(way, number(args[4], 1, 60'000), number(args[5], 1, 600));
  }
  bench::usage_error(kUsage);
}
