#include "server/cli/rule_views.hpp"

#include <array>
#include <sstream>
#include <utility>
#include <vector>

#include "server/cli/api_call.hpp"
#include "server/cli/json_fields.hpp"
#include "server/cli/output.hpp"

namespace portunus::server::cli {
namespace {

constexpr auto kWidths = std::to_array<std::size_t>({6, 20, 6, 32, 24, 18, 10});

/// Bytes per second: "900", "12K", "1.5M" (cli-and-config 2.6, floored).
std::string byte_rate(std::uint64_t rate) {
  constexpr std::uint64_t kKilo = 1024;
  constexpr std::uint64_t kMega = kKilo * kKilo;
  if (rate < kKilo) return std::to_string(rate);
  if (rate < kMega) return std::to_string(rate / kKilo) + "K";
  return std::to_string(rate / kMega) + "." + std::to_string(rate % kMega * 10 / kMega) + "M";
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

std::expected<std::string, std::string> caps_cell(const Json* caps) {
  if (caps == nullptr) return "-";
  Fields fields(*caps);
  std::vector<std::string> parts;
  if (const auto in = fields.optional_number("bandwidth_in_bps")) {
    parts.push_back("↓" + byte_rate(*in));
  }
  if (const auto out = fields.optional_number("bandwidth_out_bps")) {
    parts.push_back("↑" + byte_rate(*out));
  }
  if (const auto rate = fields.optional_number("new_connections_per_sec")) {
    parts.push_back(std::to_string(*rate) + "/s");
  }
  if (const auto most = fields.optional_number("concurrent_connections")) {
    parts.push_back("≤" + std::to_string(*most));
  }
  if (fields.fault()) return std::unexpected(*fields.fault());
  return parts.empty() ? "-" : joined(parts, "·");
}

/// "<host>:<port>=v1" of every target with a PROXY header, joined by commas; may be empty.
std::expected<std::string, std::string> proxy_list(const Json* targets) {
  std::vector<std::string> parts;
  if (targets == nullptr) return std::string();
  for (const auto& target : *targets) {
    Fields fields(target);
    const std::string host = fields.text("host");
    const std::uint64_t port = fields.number("port");
    const auto version = fields.optional_text("proxy_protocol");
    if (fields.fault()) return std::unexpected(*fields.fault());
    if (version) parts.push_back(host + ":" + std::to_string(port) + "=" + *version);
  }
  return joined(parts, ",");
}

std::string sni_proxy_cell(const std::optional<std::string>& sni, const std::string& proxies) {
  if (sni && !proxies.empty()) return *sni + " | " + proxies;
  if (sni) return *sni;
  return proxies.empty() ? "-" : proxies;
}

std::expected<std::string, std::string> state_cell(const Json* state) {
  if (state == nullptr) return std::unexpected("missing field `state`");
  Fields fields(*state);
  std::string kind = fields.text("kind");
  const auto reason = fields.optional_text("reason");
  if (fields.fault()) return std::unexpected(*fields.fault());
  if (kind == "failed") kind += ":" + reason.value_or("unspecified");
  return kind;
}

std::expected<void, std::string> write_rule(std::ostream& out, const Json& rule) {
  Fields fields(rule);
  const std::string id = std::to_string(fields.number("id"));
  const std::string client = fields.text("client_name");
  const std::string port = std::to_string(fields.number("listen_port"));
  const std::string host = fields.text("target_host");
  const std::string target = host + ":" + std::to_string(fields.number("target_port"));
  const auto sni = fields.optional_text("sni_pattern");
  const auto proxies = proxy_list(fields.array("targets"));
  const auto caps = caps_cell(fields.object("rate_limit"));
  const auto state = state_cell(fields.object("state"));
  if (fields.fault()) return std::unexpected(*fields.fault());
  for (const auto* cell : {&proxies, &caps, &state}) {
    if (!*cell) return std::unexpected(cell->error());
  }
  print_row(out, kWidths, {id, client, port, target, sni_proxy_cell(sni, *proxies), *caps, *state});
  return {};
}

}  // namespace

std::expected<void, std::string> print_rules(std::ostream& out, const Json& rules, Format format) {
  if (!rules.is_array()) return std::unexpected("expected an array");
  if (format == Format::json) {
    out << pretty(rules);
    return {};
  }
  std::ostringstream text;
  print_row(text, kWidths, {"ID", "CLIENT", "PORT", "TARGET", "SNI/PROXY", "CAPS", "STATE"});
  for (const auto& rule : rules) {
    if (auto done = write_rule(text, rule); !done) return done;
  }
  out << text.str();
  return {};
}

}  // namespace portunus::server::cli
