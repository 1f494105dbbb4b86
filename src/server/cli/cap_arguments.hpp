#pragma once

#include <cstdint>
#include <optional>

#include "server/cli/json_fwd.hpp"

namespace CLI {
class App;
}

namespace portunus::server::cli {

/// The flags of an envelope of caps, of a rule or of an owner (cli-and-config 2.7).
struct CapArguments {
  std::optional<std::uint64_t> bandwidth_in_bps;
  std::optional<std::uint64_t> bandwidth_out_bps;
  std::optional<std::uint64_t> bandwidth_in_burst;
  std::optional<std::uint64_t> bandwidth_out_burst;
  std::optional<std::uint32_t> new_connections_per_sec;
  std::optional<std::uint32_t> concurrent_connections;
  std::optional<std::uint32_t> new_connections_burst;
};

void add_cap_flags(CLI::App& app, CapArguments& into);
/// The rate-limit object of the API with the caps that were given; empty without any.
Json caps_json(const CapArguments& caps);

}  // namespace portunus::server::cli
