#include "server/rules/rule_gates.hpp"

#include <algorithm>

#include "common/model/client_version.hpp"

namespace portunus::server::rules {
namespace {

struct Gate {
  bool used;
  model::ClientVersion needed;
  bool passes_unknown;
  Errc code;
};

std::optional<Errc> closed(const model::RuleSpec& spec, std::string_view version, bool at_replay) {
  const bool proxied = std::ranges::any_of(
      spec.targets, [](const model::Target& target) { return target.proxy.has_value(); });
  const Gate gates[] = {
      {spec.multi_target(), model::kNeedsTargetList, true,
       Errc::multi_target_unsupported_by_client},
      {spec.sni_pattern.has_value(), model::kNeedsSni, true, Errc::sni_unsupported_by_client},
      {proxied, model::kNeedsProxyProtocol, false, Errc::proxy_protocol_unsupported_by_client},
      {spec.rate_limit.has_value(), model::kNeedsRateLimit, false,
       Errc::rate_limit_unsupported_by_client},
  };
  for (const Gate& gate : gates) {
    const bool unknown_passes = version.empty() && gate.passes_unknown && !at_replay;
    if (gate.used && !unknown_passes && !model::supports(version, gate.needed)) return gate.code;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Errc> closed_for_release(const model::RuleSpec& spec, std::string_view version) {
  return closed(spec, version, false);
}

std::optional<Errc> closed_for_udp(const model::RuleSpec& spec,
                                   const ClientCapabilities& capabilities) {
  if (spec.protocol == model::Protocol::udp && !capabilities.udp) return Errc::unsupported_protocol;
  return std::nullopt;
}

std::optional<Errc> closed_at_replay(const model::RuleSpec& spec,
                                     const ClientCapabilities& capabilities) {
  if (const auto code = closed(spec, capabilities.version, true)) return code;
  return closed_for_udp(spec, capabilities);
}

}  // namespace portunus::server::rules
