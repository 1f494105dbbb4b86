#include "server/rules/rule_check.hpp"

#include <algorithm>
#include <optional>

#include "common/net/hostname.hpp"
#include "server/rules/errc.hpp"

namespace portunus::server::rules {
namespace {

constexpr std::uint32_t kMaxPort = 65'535;

std::unexpected<Error> not_available(std::string_view feature) {
  return fail({Errc::not_available, "not available in this release: " + std::string(feature)});
}

bool asks_for(const PushRequest& request, std::string_view key) {
  return std::ranges::find(request.unavailable, key) != request.unavailable.end();
}

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

}  // namespace

Result<PushShape> check_shape(const PushRequest& request) {
  const bool list = asks_for(request, "targets");
  const bool any_single = request.target_host || request.target_port;
  if (list && any_single) {
    return fail({Errc::rule_shape_conflict, "targets together with target_host or target_port"});
  }
  if (!list && (!request.target_host || !request.target_port)) {
    return fail({Errc::rule_shape_missing, "target_host and target_port are both needed"});
  }

  const std::uint32_t listen_end = request.listen_port_end.value_or(request.listen_port);
  if (request.listen_port_end.has_value() != request.target_port_end.has_value()) {
    return fail({Errc::range_invalid, "listen_port_end and target_port_end come together"});
  }
  if (bad_range(request.listen_port, listen_end)) {
    return fail({Errc::range_invalid, "bad listen port range"});
  }
  if (asks_for(request, "sni_pattern")) return not_available("sni_pattern");
  if (asks_for(request, "rate_limit")) return not_available("rate_limit");
  if (list) return not_available("targets");

  const std::uint32_t target_port = *request.target_port;
  const std::uint32_t target_end = request.target_port_end.value_or(target_port);
  if (bad_range(target_port, target_end)) {
    return fail({Errc::range_invalid, "bad target port range"});
  }
  if (!request.unavailable.empty()) return not_available(request.unavailable.front());
  return PushShape{.listen_port = static_cast<std::uint16_t>(request.listen_port),
                   .listen_count = listen_end - request.listen_port + 1,
                   .target_port = static_cast<std::uint16_t>(target_port),
                   .target_count = target_end - target_port + 1};
}

Result<model::Protocol> check_protocol(std::string_view word) {
  for (const auto protocol : {model::Protocol::tcp, model::Protocol::udp}) {
    if (equal_ignoring_case(word, model::protocol_name(protocol))) return protocol;
  }
  return fail({Errc::invalid_protocol, std::string(word)});
}

Result<std::string> check_target_host(std::string_view host) {
  auto canonical = model::parse_target_host(host);
  if (!canonical) return fail({host_fault(canonical.error()), std::string(host)});
  const model::Target target{*canonical, 1};
  if (!target.literal()) return not_available("DNS names as target");
  return *std::move(canonical);
}

Result<> check_available(model::Protocol protocol, const PushShape& shape) {
  if (protocol == model::Protocol::udp) return not_available("protocol udp");
  if (shape.listen_count != shape.target_count) {
    return fail({Errc::range_invalid, "listen and target ranges differ in length"});
  }
  if (shape.listen_count > 1) return not_available("port ranges");
  return {};
}

bool blocks_port(const store::RuleRow& rule, std::string_view client_id, model::Protocol protocol,
                 std::uint16_t listen_port) {
  return rule.state != store::RuleState::pending && rule.client_id == client_id &&
         rule.spec.protocol == protocol && rule.spec.listen_port == listen_port;
}

}  // namespace portunus::server::rules
