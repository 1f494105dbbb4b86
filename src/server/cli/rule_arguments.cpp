#include "server/cli/rule_arguments.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "common/model/names.hpp"
#include "common/model/rule.hpp"
#include "common/net/endpoint.hpp"
#include "server/cli/exit_codes.hpp"
#include "server/cli/json_fwd.hpp"

namespace portunus::server::cli {
namespace {

struct Ports {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  bool range = false;  ///< written as one, whatever its length
};

std::unexpected<Refusal> refuse(std::string text, int exit = kExitInvalid) {
  return std::unexpected(Refusal{std::move(text), exit});
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// "P" or "A-B", each 1..65535; the order is not checked.
std::optional<Ports> parse_ports(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = net::parse_port(text.substr(0, dash));
  if (!first) return std::nullopt;
  if (dash == std::string_view::npos) return Ports{*first, *first, false};
  const auto last = net::parse_port(text.substr(dash + 1));
  if (!last) return std::nullopt;
  return Ports{*first, *last, true};
}

struct HostFaultText {
  std::string_view code;
  std::string_view why;
};
HostFaultText describe(net::HostnameFault fault) {
  switch (fault) {
    case net::HostnameFault::too_long:
      return {"invalid_target_host_too_long", "more than 253 octets"};
    case net::HostnameFault::label_too_long:
      return {"invalid_target_host_label_too_long", "a label of more than 63 octets"};
    case net::HostnameFault::label_hyphen:
      return {"invalid_target_host_label_hyphen", "a label begins or ends with a hyphen"};
    case net::HostnameFault::other:
      break;
  }
  return {"invalid_target_host", "neither IPv4, [IPv6] nor a host name"};
}

std::expected<Ports, Refusal> checked_listen(const std::string& spec) {
  const auto ports = parse_ports(spec);
  if (!ports) return refuse("invalid_target: " + spec);
  if (ports->last < ports->first) {
    return refuse("range_invalid: " + spec + " ends before it begins");
  }
  return *ports;
}

/// Trimmed and lower-case; nothing when blank.
std::optional<std::string> sni_pattern(const PushArguments& arguments) {
  if (!arguments.sni) return std::nullopt;
  std::string pattern = lower(model::trim(*arguments.sni));
  if (pattern.empty()) return std::nullopt;
  return pattern;
}

std::expected<void, Refusal> check_flags(const PushArguments& arguments, const Ports& listen) {
  const auto interval = arguments.health_check_interval_secs;
  if (interval && (*interval < 1 || *interval > 3600)) {
    return refuse("health_check_interval_out_of_range: " + std::to_string(*interval));
  }
  const bool tcp = lower(model::trim(arguments.protocol)) == "tcp";
  if (sni_pattern(arguments) && (!tcp || listen.first != listen.last)) {
    return refuse("validation.sni_on_unsupported_rule: --sni needs a TCP rule of one port",
                  kExitUsage);
  }
  const bool several = !arguments.targets.empty() || arguments.targets_json;
  if (arguments.target && several) {
    return refuse("rule_shape_conflict (a positional target and --target or --targets-json)");
  }
  if (!arguments.target && !several) {
    return refuse("rule_shape_missing (give <host:port>, --target or --targets-json)");
  }
  return {};
}

std::expected<Json, Refusal> parse_target_spec(const std::string& spec, std::size_t position) {
  const auto bad = [&](std::string_view why) {
    return refuse("invalid_target_spec --target \"" + spec + "\": " + std::string(why));
  };
  const std::string_view text = spec;
  const std::size_t at = text.rfind('@');
  std::uint32_t priority = static_cast<std::uint32_t>(position);
  if (at != std::string_view::npos) {
    const std::string_view digits = text.substr(at + 1);
    const auto [end, ec] = std::from_chars(digits.begin(), digits.end(), priority);
    if (ec != std::errc{} || end != digits.end()) return bad("the priority is not a number");
  }
  const auto parts = net::split_host_port(text.substr(0, at));
  if (!parts) return bad("expected host:port[@priority]");
  const auto port = net::parse_port(parts->port);
  if (!port) return bad("the port is not 1..65535");
  if (const auto host = model::parse_target_host(parts->host); !host) {
    return bad(describe(host.error()).why);
  }
  return Json{{"host", parts->host}, {"port", *port}, {"priority", priority}};
}

std::expected<Json, Refusal> several_targets(const PushArguments& arguments) {
  if (arguments.targets_json) {
    Json targets = Json::parse(*arguments.targets_json, nullptr, false);
    if (targets.is_discarded()) return refuse("invalid_targets_json: not JSON");
    return targets;
  }
  Json targets = Json::array();
  for (const std::string& spec : arguments.targets) {
    auto target = parse_target_spec(spec, targets.size());
    if (!target) return std::unexpected(std::move(target.error()));
    targets.push_back(std::move(*target));
  }
  return targets;
}

std::expected<void, Refusal> add_target(Json& body, const std::string& spec, const Ports& listen) {
  const auto parts = net::split_host_port(spec);
  if (!parts) return refuse("invalid_target: " + spec + " (expected host:port)");
  const auto ports = parse_ports(parts->port);
  if (!ports) return refuse("invalid_target: " + spec + " (the port is not 1..65535)");
  if (ports->last < ports->first) {
    return refuse("invalid_target: " + spec + " (the range ends before it begins)");
  }
  if (const auto host = model::parse_target_host(parts->host); !host) {
    const auto [code, why] = describe(host.error());
    return refuse(std::string(code) + ": " + std::string(parts->host) + " (" + std::string(why) +
                  ")");
  }
  body["target_host"] = parts->host;
  body["target_port"] = ports->first;
  if (listen.range || ports->range) {
    body["listen_port_end"] = listen.last;
    body["target_port_end"] = ports->last;
  }
  return {};
}

std::expected<void, Refusal> add_targets(Json& body, const PushArguments& arguments,
                                         const Ports& listen) {
  auto targets = several_targets(arguments);
  if (!targets) return std::unexpected(std::move(targets.error()));
  body["targets"] = std::move(*targets);
  // No range goes with this shape; the server says so, instead of us dropping the rest of it.
  if (listen.first != listen.last) body["listen_port_end"] = listen.last;
  if (arguments.health_check_interval_secs) {
    body["health_check_interval_secs"] = *arguments.health_check_interval_secs;
  }
  return {};
}

}  // namespace

std::expected<PushBody, Refusal> make_push_body(const PushArguments& arguments) {
  const auto listen = checked_listen(arguments.listen);
  if (!listen) return std::unexpected(listen.error());
  if (auto checked = check_flags(arguments, *listen); !checked) {
    return std::unexpected(std::move(checked.error()));
  }
  Json body{{"client", arguments.client},
            {"listen_port", listen->first},
            {"protocol", arguments.protocol},
            {"ack_timeout_secs", arguments.ack_timeout_secs}};
  auto shaped = arguments.target ? add_target(body, *arguments.target, *listen)
                                 : add_targets(body, arguments, *listen);
  if (!shaped) return std::unexpected(std::move(shaped.error()));
  if (arguments.prefer_ipv6) body["prefer_ipv6"] = true;
  if (auto pattern = sni_pattern(arguments)) body["sni_pattern"] = std::move(*pattern);
  if (Json caps = caps_json(arguments.caps); !caps.empty()) body["rate_limit"] = std::move(caps);
  return PushBody{body.dump(-1, ' ', false, Json::error_handler_t::replace), listen->first};
}

}  // namespace portunus::server::cli
