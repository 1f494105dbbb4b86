#include "server/rules/rule_check.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "common/model/names.hpp"
#include "common/net/hostname.hpp"
#include "server/rules/errc.hpp"

namespace portunus::server::rules {
namespace {

constexpr std::uint32_t kMaxPort = 65'535;
constexpr std::uint32_t kMaxInterval = 3600;

bool bad_range(std::uint32_t first, std::uint32_t last) {
  return first == 0 || first > kMaxPort || last > kMaxPort || last < first;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

Errc host_fault(net::HostnameFault fault) {
  switch (fault) {
    case net::HostnameFault::too_long:
      return Errc::invalid_target_host_too_long;
    case net::HostnameFault::label_too_long:
      return Errc::invalid_target_host_label_too_long;
    case net::HostnameFault::label_hyphen:
      return Errc::invalid_target_host_label_hyphen;
    case net::HostnameFault::other:
      return Errc::invalid_target_host;
  }
  return Errc::invalid_target_host;
}

Errc caps_fault(model::RateLimitFault fault) {
  switch (fault) {
    case model::RateLimitFault::cap_zero:
      return Errc::rate_limit_cap_zero;
    case model::RateLimitFault::burst_without_rate:
      return Errc::rate_limit_burst_without_rate;
    case model::RateLimitFault::burst_range:
      return Errc::rate_limit_burst_range;
  }
  return Errc::rate_limit_cap_zero;
}

/// Rows 4 and 5: the canonical pattern, if one is asked for.
Result<std::optional<std::string>> check_sni(const PushRequest& request) {
  if (!request.sni_pattern) return std::nullopt;
  if (equal_ignoring_case(request.protocol, model::protocol_name(model::Protocol::udp))) {
    return fail({Errc::sni_on_unsupported_rule, "sni_pattern needs a TCP rule"});
  }
  if (request.last_listen_port() != request.listen_port) {
    return fail({Errc::sni_on_unsupported_rule, "sni_pattern needs a rule of one port"});
  }
  auto pattern = model::parse_sni_pattern(*request.sni_pattern);
  if (!pattern) return fail({Errc::sni_pattern_malformed, *request.sni_pattern});
  return pattern;
}

/// Rows 7s and 8s. With a pattern the shape counts as a list of one, which may have caps.
Result<> check_single(const PushRequest& request, Draft& draft) {
  if (request.rate_limit && !request.sni_pattern) {
    return fail({Errc::rate_limit_on_legacy_shape, "rate_limit goes with targets only"});
  }
  const std::uint32_t last = request.target_port_end.value_or(*request.target_port);
  if (bad_range(*request.target_port, last)) {
    return fail({Errc::range_invalid, "bad target port range"});
  }
  draft.spec.targets = {{*request.target_host, static_cast<std::uint16_t>(*request.target_port)}};
  draft.spec.listed = request.sni_pattern.has_value();
  draft.target_ports = last - *request.target_port + 1;
  return {};
}

/// Off for a blank word.
Result<std::optional<model::ProxyVersion>> parse_proxy(const std::optional<std::string>& word) {
  const std::string_view text = word ? model::trim(*word) : std::string_view();
  if (text.empty()) return std::nullopt;
  for (const auto version : {model::ProxyVersion::v1, model::ProxyVersion::v2}) {
    if (equal_ignoring_case(text, model::proxy_version_name(version))) return version;
  }
  return fail({Errc::proxy_protocol_invalid, std::string(text)});
}

/// Row 9m, without the twins.
Result<> check_target(const WantedTarget& wanted, std::size_t row, model::Target& target) {
  const std::string at = "targets[" + std::to_string(row) + "]";
  auto host = model::parse_target_host(wanted.host);
  if (!host) return fail({Errc::target_invalid_host, at + ".host: " + wanted.host});
  if (wanted.port == 0 || wanted.port > kMaxPort) {
    return fail({Errc::target_invalid_port, at + ".port: " + std::to_string(wanted.port)});
  }
  target.host = *std::move(host);
  target.port = static_cast<std::uint16_t>(wanted.port);
  target.priority = wanted.priority.value_or(static_cast<std::uint32_t>(row));
  return {};
}

Result<> check_twins(const std::vector<model::Target>& targets) {
  for (auto target = targets.begin(); target != targets.end(); ++target) {
    const auto same = [&](const model::Target& other) {
      return other.host == target->host && other.port == target->port;
    };
    if (std::find_if(targets.begin(), target, same) != target) {
      return fail({Errc::targets_duplicate, target->text()});
    }
  }
  return {};
}

/// Rows 7m to 9m.
Result<> check_list(const PushRequest& request, Draft& draft) {
  const auto interval = request.health_check_interval_secs;
  if (interval && (*interval == 0 || *interval > kMaxInterval)) {
    return fail({Errc::health_check_interval_out_of_range, std::to_string(*interval)});
  }
  const std::vector<WantedTarget>& wanted = *request.targets;
  if (wanted.empty()) return fail(Errc::targets_empty);
  std::vector<model::Target>& targets = draft.spec.targets;
  for (const WantedTarget& row : wanted) {
    const auto proxy = parse_proxy(row.proxy_protocol);
    if (!proxy) return fail(proxy.error());
    targets.emplace_back().proxy = *proxy;
  }
  if (wanted.size() > model::kMaxTargets) {
    return fail({Errc::targets_too_many, std::to_string(wanted.size()) + " targets"});
  }
  for (std::size_t row = 0; row < wanted.size(); ++row) {
    if (auto good = check_target(wanted[row], row, targets[row]); !good) return good;
  }
  if (auto good = check_twins(targets); !good) return good;
  draft.spec.listed = true;
  draft.spec.health_check_interval_secs = interval;
  return {};
}

}  // namespace

Result<> check_form(const PushRequest& request) {
  const bool any_single = request.target_host || request.target_port;
  if (request.targets && any_single) {
    return fail({Errc::rule_shape_conflict, "targets together with target_host or target_port"});
  }
  if (!request.targets && (!request.target_host || !request.target_port)) {
    return fail({Errc::rule_shape_missing, "target_host with target_port, or targets"});
  }
  if (request.listen_port_end.has_value() != request.target_port_end.has_value()) {
    return fail({Errc::range_invalid, "listen_port_end and target_port_end come together"});
  }
  if (bad_range(request.listen_port, request.last_listen_port())) {
    return fail({Errc::range_invalid, "bad listen port range"});
  }
  return {};
}

Result<> check_caps(const PushRequest& request) {
  if (!request.rate_limit) return {};
  if (request.rate_limit->reserved_key) {
    return fail({Errc::rate_limit_burst_unsupported, "concurrent_connections_burst is reserved"});
  }
  if (const auto fault = model::check_rate_limit(request.rate_limit->limit)) {
    return fail(caps_fault(*fault));
  }
  return {};
}

Result<Draft> check_shape(const PushRequest& request) {
  if (const auto good = check_form(request); !good) return fail(good.error());
  auto pattern = check_sni(request);
  if (!pattern) return fail(pattern.error());
  if (const auto good = check_caps(request); !good) return fail(good.error());

  Draft draft;
  draft.spec.listen_port = static_cast<std::uint16_t>(request.listen_port);
  draft.spec.ports = request.last_listen_port() - request.listen_port + 1;
  draft.spec.prefer_ipv6 = request.prefer_ipv6;
  draft.spec.sni_pattern = *std::move(pattern);
  // An empty envelope is none.
  if (request.rate_limit && !request.rate_limit->limit.empty()) {
    draft.spec.rate_limit = request.rate_limit->limit;
  }
  const auto good = request.targets ? check_list(request, draft) : check_single(request, draft);
  if (!good) return fail(good.error());
  return draft;
}

Result<model::Protocol> check_protocol(std::string_view word) {
  for (const auto protocol : {model::Protocol::tcp, model::Protocol::udp}) {
    if (equal_ignoring_case(word, model::protocol_name(protocol))) return protocol;
  }
  return fail({Errc::invalid_protocol, std::string(word)});
}

Result<> check_single_host(const PushRequest& request, Draft& draft) {
  if (request.targets) return {};
  auto host = model::parse_target_host(*request.target_host);
  if (host) {
    draft.spec.targets.front().host = *std::move(host);
    return {};
  }
  const Errc as_list = Errc::target_invalid_host;
  return fail({request.sni_pattern ? as_list : host_fault(host.error()), *request.target_host});
}

Result<> check_proxy(const model::RuleSpec& spec) {
  const bool any = std::ranges::any_of(
      spec.targets, [](const model::Target& target) { return target.proxy.has_value(); });
  if (any && spec.protocol == model::Protocol::udp) {
    return fail({Errc::proxy_protocol_on_unsupported_rule, "proxy_protocol needs a TCP rule"});
  }
  return {};
}

Result<> check_lengths(const Draft& draft, std::uint32_t max_ports) {
  const std::string listen = std::to_string(draft.spec.ports);
  if (draft.spec.ports != draft.target_ports) {
    return fail({Errc::range_invalid, listen + " listen ports, " +
                                          std::to_string(draft.target_ports) + " target ports"});
  }
  if (draft.spec.ports > max_ports) {
    return fail({Errc::exceeds_cap, listen + " ports, at most " + std::to_string(max_ports)});
  }
  return {};
}

}  // namespace portunus::server::rules
