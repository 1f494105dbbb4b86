#include "standalone/standalone_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>

#include "common/config/file.hpp"
#include "common/crypto/digest.hpp"
#include "common/net/endpoint.hpp"
#include "standalone/toml_document.hpp"

namespace portunus::standalone {
namespace {

/// A drain longer than a year only overflows clocks.
constexpr std::uint64_t kMaxDrainSeconds = std::uint64_t{365} * 24 * 3600;
constexpr std::uint32_t kMaxFlows = 65'535;

using Fault = std::optional<std::string>;

struct Ports {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  std::uint32_t count() const { return std::uint32_t{last} - first + 1; }
};

/// "p" or "lo-hi".
std::optional<Ports> parse_ports(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = net::parse_port(text.substr(0, dash));
  if (!first) return std::nullopt;
  if (dash == std::string_view::npos) return Ports{*first, *first};
  const auto last = net::parse_port(text.substr(dash + 1));
  if (!last || *last < *first) return std::nullopt;
  return Ports{*first, *last};
}

Fault bad_range(const RuleEntry& rule, std::string_view text) {
  return fmt::format("port range string invalid in rule \"{}\": \"{}\"", rule.name, text);
}

Fault bad_target(const RuleEntry& rule, std::string_view what) {
  return fmt::format("target parse error in rule \"{}\": {}", rule.name, what);
}

/// One rule of the file on its way to the engine. The checks of cli-and-config 8.1 run over all
/// rules one after the other, so each is a step of its own.
struct Draft {
  const RuleEntry& entry;
  const RuleEntry& defaults;
  Ports listen;
  std::uint32_t target_ports = 1;
  StandaloneRule rule;
};

Fault check_forms(const Draft& draft) {
  if (draft.entry.listen_port.has_value() == draft.entry.listen_ports.has_value()) {
    return "each rule must have exactly one of `listen_port` or `listen_ports`";
  }
  return std::nullopt;
}

Fault check_target_forms(const Draft& draft) {
  if (draft.entry.target.has_value() == draft.entry.targets.has_value()) {
    return "each rule must have exactly one of `target` or `targets`";
  }
  return std::nullopt;
}

Fault read_listen(Draft& draft) {
  const RuleEntry& entry = draft.entry;
  const std::string text =
      entry.listen_port ? std::to_string(*entry.listen_port) : *entry.listen_ports;
  const auto ports = parse_ports(text);
  if (!ports) return bad_range(entry, text);
  draft.listen = *ports;
  draft.rule.spec.listen_port = ports->first;
  draft.rule.spec.ports = ports->count();
  return std::nullopt;
}

Fault read_protocol(Draft& draft) {
  const std::string word = draft.entry.protocol.value_or(draft.defaults.protocol.value_or("tcp"));
  if (word == "tcp") {
    draft.rule.spec.protocol = model::Protocol::tcp;
  } else if (word == "udp") {
    draft.rule.spec.protocol = model::Protocol::udp;
  } else {
    return bad_target(draft.entry, fmt::format("unknown protocol \"{}\"", word));
  }
  return std::nullopt;
}

/// "host:p", "host:lo-hi", "[v6]:p".
Fault read_single_target(Draft& draft) {
  const std::string& text = *draft.entry.target;
  const auto parts = net::split_host_port(text);
  if (!parts) return bad_target(draft.entry, fmt::format("\"{}\" has no port", text));
  auto host = model::parse_target_host(parts->host);
  if (!host) return bad_target(draft.entry, fmt::format("invalid host \"{}\"", parts->host));
  const auto ports = parse_ports(parts->port);
  if (!ports && parts->port.contains('-')) return bad_range(draft.entry, parts->port);
  if (!ports) return bad_target(draft.entry, fmt::format("invalid port \"{}\"", parts->port));
  draft.target_ports = ports->count();
  draft.rule.spec.targets.push_back({.host = std::move(*host), .port = ports->first});
  return std::nullopt;
}

Fault read_row(Draft& draft, const TargetEntry& row) {
  auto host = model::parse_target_host(row.host);
  if (!host) return bad_target(draft.entry, fmt::format("invalid host \"{}\"", row.host));
  if (row.port < 1 || row.port > std::numeric_limits<std::uint16_t>::max()) {
    return bad_target(draft.entry, fmt::format("invalid port {}", row.port));
  }
  if (row.priority < 0 || row.priority > std::numeric_limits<std::uint32_t>::max()) {
    return bad_target(draft.entry, fmt::format("invalid priority {}", row.priority));
  }
  model::Target target{.host = std::move(*host),
                       .port = static_cast<std::uint16_t>(row.port),
                       .priority = static_cast<std::uint32_t>(row.priority)};
  if (row.proxy_protocol == "v1") {
    target.proxy = model::ProxyVersion::v1;
  } else if (row.proxy_protocol == "v2") {
    target.proxy = model::ProxyVersion::v2;
  } else if (row.proxy_protocol) {
    return bad_target(draft.entry,
                      fmt::format("unknown proxy_protocol \"{}\"", *row.proxy_protocol));
  }
  if (target.proxy && draft.rule.spec.protocol == model::Protocol::udp) {
    return bad_target(draft.entry, "proxy_protocol needs protocol tcp");
  }
  draft.rule.spec.targets.push_back(std::move(target));
  return std::nullopt;
}

Fault read_targets(Draft& draft) {
  if (draft.entry.target) return read_single_target(draft);
  draft.rule.spec.listed = true;
  for (const TargetEntry& row : *draft.entry.targets) {
    if (auto fault = read_row(draft, row)) return fault;
  }
  return std::nullopt;
}

Fault check_widths(const Draft& draft) {
  if (draft.entry.targets || draft.listen.count() == draft.target_ports) return std::nullopt;
  return fmt::format("range size mismatch: listen has {} ports, target has {}",
                     draft.listen.count(), draft.target_ports);
}

Fault check_list(const Draft& draft) {
  if (!draft.entry.targets) return std::nullopt;
  const std::string& name = draft.entry.name;
  const auto& targets = draft.rule.spec.targets;
  if (targets.empty()) return fmt::format("`targets` is empty in rule \"{}\"", name);
  if (targets.size() > model::kMaxTargets) {
    return fmt::format("more than {} `targets` in rule \"{}\"", model::kMaxTargets, name);
  }
  if (draft.listen.count() > 1) {
    return fmt::format("`targets` cannot be combined with a listen range in rule \"{}\"", name);
  }
  for (auto a = targets.begin(); a != targets.end(); ++a) {
    const auto same = [&](const model::Target& b) {
      return a->host == b.host && a->port == b.port;
    };
    if (std::any_of(std::next(a), targets.end(), same)) {
      return fmt::format("target {} is listed twice in rule \"{}\"", a->text(), name);
    }
  }
  return std::nullopt;
}

void read_rest(Draft& draft) {
  const RuleEntry& entry = draft.entry;
  const RuleEntry& defaults = draft.defaults;
  draft.rule.spec.label = entry.name;
  draft.rule.spec.id = rule_id_of(entry.name);
  if (entry.prefer_ipv6.value_or(defaults.prefer_ipv6.value_or(false))) {
    draft.rule.spec.prefer_ipv6 = true;
  }
  model::UdpSettings& udp = draft.rule.udp;
  const auto idle = entry.udp_flow_idle_secs.value_or(defaults.udp_flow_idle_secs.value_or(0));
  if (idle != 0) udp.flow_idle = std::chrono::seconds(idle);
  const auto flows = entry.udp_max_flows.value_or(defaults.udp_max_flows.value_or(0));
  if (flows != 0) udp.max_flows = std::min(flows, kMaxFlows);
}

Fault check_names(const std::vector<RuleEntry>& rules) {
  std::set<std::string_view> seen;
  for (const RuleEntry& rule : rules) {
    if (!seen.insert(rule.name).second)
      return fmt::format("duplicate rule name: \"{}\"", rule.name);
  }
  return std::nullopt;
}

Fault check_ids(const std::vector<Draft>& drafts) {
  std::unordered_map<RuleId, std::string_view> names;
  for (const Draft& draft : drafts) {
    const auto [it, fresh] = names.emplace(draft.rule.spec.id, draft.entry.name);
    if (!fresh) {
      return fmt::format("rules \"{}\" and \"{}\" have the same id; rename one", it->second,
                         draft.entry.name);
    }
  }
  return std::nullopt;
}

/// Every check over all rules before the next one (cli-and-config 8.1).
Fault read_drafts(std::vector<Draft>& drafts) {
  using Step = Fault (*)(Draft&);
  constexpr Step kSteps[] = {
      [](Draft& d) { return check_forms(d); },
      [](Draft& d) { return check_target_forms(d); },
      [](Draft& d) -> Fault {
        if (auto fault = read_listen(d)) return fault;
        if (auto fault = read_protocol(d)) return fault;
        return read_targets(d);
      },
      [](Draft& d) { return check_widths(d); },
      [](Draft& d) { return check_list(d); },
  };
  for (const Step step : kSteps) {
    for (Draft& draft : drafts) {
      if (auto fault = step(draft)) return fault;
    }
  }
  for (Draft& draft : drafts) read_rest(draft);
  return check_ids(drafts);
}

}  // namespace

RuleId rule_id_of(std::string_view name) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(name.data());
  const crypto::Sha256 hash = crypto::sha256(std::span(bytes, name.size()));
  std::uint64_t id = 0;
  for (unsigned i = 0; i < 8; ++i) id |= std::uint64_t{hash[i]} << (8 * i);
  return RuleId{id};
}

std::expected<StandaloneConfig, std::string> parse_config(std::string_view text) {
  const auto document = read_document(text);
  if (!document) return std::unexpected("toml parse error: " + document.error());
  if (document->rules.empty()) {
    return std::unexpected("config must contain at least one [[rule]]");
  }
  if (auto fault = check_names(document->rules)) return std::unexpected(std::move(*fault));

  std::vector<Draft> drafts;
  drafts.reserve(document->rules.size());
  for (const RuleEntry& entry : document->rules) {
    drafts.push_back({.entry = entry, .defaults = document->defaults, .listen = {}, .rule = {}});
  }
  if (auto fault = read_drafts(drafts)) return std::unexpected(std::move(*fault));

  StandaloneConfig out;
  out.label = document->label.value_or("");
  out.log_level = document->log_level.value_or(out.log_level);
  out.log_format = document->log_format.value_or(out.log_format);
  if (document->shutdown_drain_secs) {
    out.drain = std::chrono::seconds(std::min(*document->shutdown_drain_secs, kMaxDrainSeconds));
  }
  out.stats.enabled = document->stats_enabled.value_or(out.stats.enabled);
  if (document->stats_socket_path) out.stats.socket_path = *document->stats_socket_path;
  out.stats.refresh_ms = document->stats_refresh_ms.value_or(out.stats.refresh_ms);
  for (Draft& draft : drafts) out.rules.push_back(std::move(draft.rule));
  return out;
}

std::expected<StandaloneConfig, std::string> load_config(const std::filesystem::path& path) {
  const auto text = config::read_file(path);
  if (!text) return std::unexpected("io error: " + path.string() + ": " + text.error().text());
  return parse_config(*text);
}

std::expected<void, std::string> check_stats(const StatsSettings& stats) {
  if (!stats.enabled || (stats.refresh_ms >= 250 && stats.refresh_ms <= 5000)) return {};
  return std::unexpected(fmt::format(
      "validation error: [stats] refresh_ms must be in 250..=5000 (got {})", stats.refresh_ms));
}

}  // namespace portunus::standalone
