#include "server/cli/owner_cap_views.hpp"

#include <array>
#include <ostream>
#include <sstream>
#include <utility>

#include "server/cli/api_call.hpp"
#include "server/cli/json_fields.hpp"
#include "server/cli/output.hpp"

namespace portunus::server::cli {
namespace {

constexpr auto kOwnerWidths = std::to_array<std::size_t>({24, 8, 10});
constexpr auto kCapWidths = std::to_array<std::size_t>({18});

/// Name on the terminal, name in the API, in the order of the contract.
constexpr auto kCaps = std::to_array<std::pair<const char*, const char*>>({
    {"ingress_bps", "bandwidth_in_bps"},
    {"egress_bps", "bandwidth_out_bps"},
    {"new_conn_per_sec", "new_connections_per_sec"},
    {"concurrent_max", "concurrent_connections"},
    {"ingress_burst", "bandwidth_in_burst"},
    {"egress_burst", "bandwidth_out_burst"},
    {"new_conn_burst", "new_connections_burst"},
});

}  // namespace

std::expected<void, std::string> print_owners(std::ostream& out, const Json& owners,
                                              Format format) {
  if (!owners.is_array()) return std::unexpected("expected an array");
  std::ostringstream text;
  print_row(text, kOwnerWidths, {"OWNER", "RULES", "CAP STATUS"});
  Json picked = Json::array();
  for (const auto& owner : owners) {
    Fields fields(owner);
    const std::string id = fields.text("owner_id");
    const std::string rules = std::to_string(fields.number("rule_count"));
    const bool capped = fields.flag("has_rate_limit");
    if (fields.fault()) return std::unexpected(*fields.fault());
    print_row(text, kOwnerWidths, {id, rules, capped ? "capped" : "uncapped"});
    picked.push_back(Fields::pick(owner, {"owner_id", "has_rate_limit", "rule_count"}));
  }
  out << (format == Format::json ? pretty(Json{{"owners", std::move(picked)}}) : text.str());
  return {};
}

std::expected<void, std::string> print_owner_caps(std::ostream& out, const Json& caps,
                                                  Format format) {
  Fields fields(caps);
  std::ostringstream text;
  text << "client     " << printable(fields.text("client_name")) << "\nowner      "
       << printable(fields.text("owner_id")) << "\nupdated_ms "
       << fields.number("updated_at_unix_ms") << '\n';
  const Json* limit = fields.object("rate_limit");
  if (fields.fault()) return std::unexpected(*fields.fault());
  if (limit == nullptr) return std::unexpected("missing field `rate_limit`");
  Fields values(*limit);
  for (const auto& [shown, key] : kCaps) {
    const auto value = values.optional_number(key);
    print_row(text, kCapWidths, {shown, value ? std::to_string(*value) : "-"});
  }
  if (values.fault()) return std::unexpected(*values.fault());
  const auto keys = {"client_name", "owner_id", "rate_limit", "updated_at_unix_ms"};
  out << (format == Format::json ? pretty(Fields::pick(caps, keys)) : text.str());
  return {};
}

std::expected<void, std::string> print_caps_set(std::ostream& out, const Json& answer,
                                                const std::string& client,
                                                const std::string& owner) {
  Fields fields(answer);
  const std::uint64_t updated = fields.number("updated_at_unix_ms");
  if (fields.fault()) return std::unexpected(*fields.fault());
  out << "owner-cap set client=" << printable(client) << " owner=" << printable(owner)
      << " updated_at_unix_ms=" << updated << '\n';
  return {};
}

}  // namespace portunus::server::cli
