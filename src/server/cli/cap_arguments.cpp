#include "server/cli/cap_arguments.hpp"

#include <nlohmann/json.hpp>
#include <string>

#include "server/cli/arguments.hpp"

namespace portunus::server::cli {

void add_cap_flags(CLI::App& app, CapArguments& into) {
  const auto cap = [&](const std::string& name, const std::string& about, auto& value) {
    add_number(app, name, about, value)->group("Limits");
  };
  cap("--bandwidth-in-bps", "Bytes per second from users", into.bandwidth_in_bps);
  cap("--bandwidth-out-bps", "Bytes per second to users", into.bandwidth_out_bps);
  cap("--bandwidth-in-burst", "Bytes from users at once", into.bandwidth_in_burst);
  cap("--bandwidth-out-burst", "Bytes to users at once", into.bandwidth_out_burst);
  cap("--new-connections-per-sec", "New connections per second", into.new_connections_per_sec);
  cap("--concurrent-connections", "Connections at a time", into.concurrent_connections);
  cap("--new-connections-burst", "New connections at once", into.new_connections_burst);
}

Json caps_json(const CapArguments& caps) {
  Json out = Json::object();
  const auto add = [&](const char* key, const auto& value) {
    if (value) out[key] = *value;
  };
  add("bandwidth_in_bps", caps.bandwidth_in_bps);
  add("bandwidth_out_bps", caps.bandwidth_out_bps);
  add("bandwidth_in_burst", caps.bandwidth_in_burst);
  add("bandwidth_out_burst", caps.bandwidth_out_burst);
  add("new_connections_per_sec", caps.new_connections_per_sec);
  add("concurrent_connections", caps.concurrent_connections);
  add("new_connections_burst", caps.new_connections_burst);
  return out;
}

}  // namespace portunus::server::cli
