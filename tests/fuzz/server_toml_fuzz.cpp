// server.toml: a file of the operator, read once. Never an exception, never the token in a message.

#include <string>

#include "common/config/data_dir.hpp"
#include "common/config/server_config.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace {

constexpr std::string_view kToken = "sentinel-not-to-be-shown";

void check_config(const portunus::config::ServerConfig& config) {
  FUZZ_CHECK(config.range_rule_max_ports >= 1);
  FUZZ_CHECK(config.udp_flow_idle_secs >= 30 && config.udp_flow_idle_secs <= 300);
  FUZZ_CHECK(config.udp_max_flows_per_rule >= 1 && config.udp_max_flows_per_rule <= 65535);
  FUZZ_CHECK(config.shutdown_drain_timeout.count() >= 0);
  FUZZ_CHECK(!config.tls_cert_path.empty() && !config.tls_key_path.empty());
}

}  // namespace

PORTUNUS_FUZZ_TARGET(server_toml)(portunus::fuzz::Input input) {
  const portunus::config::DataDir dir("/nonexistent");
  const std::string text(portunus::fuzz::text_of(input));
  const auto parsed = portunus::config::parse_server_config(text, dir);
  if (parsed) {
    check_config(*parsed);
  } else {
    FUZZ_CHECK(!parsed.error().detail.empty());
  }
  if (text.contains(kToken)) return;  // a message may show what else is in the file
  const auto secret = portunus::config::parse_server_config(
      "operator_token = \"" + std::string(kToken) + "\"\n" + text, dir);
  if (!secret) FUZZ_CHECK(!secret.error().detail.contains(kToken));
}
