#include "server/rules/errc.hpp"

#include <string>

namespace portunus::server::rules {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "rules"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::invalid_name:
        return "invalid_name";
      case Errc::invalid_protocol:
        return "invalid_protocol";
      case Errc::range_invalid:
        return "range_invalid";
      case Errc::exceeds_cap:
        return "exceeds_cap";
      case Errc::rule_shape_missing:
        return "rule_shape_missing";
      case Errc::rule_shape_conflict:
        return "rule_shape_conflict";
      case Errc::invalid_target_host:
        return "invalid_target_host";
      case Errc::invalid_target_host_too_long:
        return "invalid_target_host_too_long";
      case Errc::invalid_target_host_label_too_long:
        return "invalid_target_host_label_too_long";
      case Errc::invalid_target_host_label_hyphen:
        return "invalid_target_host_label_hyphen";
      case Errc::targets_empty:
        return "targets_empty";
      case Errc::targets_too_many:
        return "targets_too_many";
      case Errc::targets_duplicate:
        return "targets_duplicate";
      case Errc::target_invalid_host:
        return "target_invalid_host";
      case Errc::target_invalid_port:
        return "target_invalid_port";
      case Errc::health_check_interval_out_of_range:
        return "health_check_interval_out_of_range";
      case Errc::sni_on_unsupported_rule:
        return "validation.sni_on_unsupported_rule";
      case Errc::sni_pattern_malformed:
        return "validation.sni_pattern_malformed";
      case Errc::proxy_protocol_invalid:
        return "validation.proxy_protocol_invalid";
      case Errc::proxy_protocol_on_unsupported_rule:
        return "validation.proxy_protocol_on_unsupported_rule";
      case Errc::rate_limit_burst_unsupported:
        return "validation.rate_limit_burst_unsupported";
      case Errc::rate_limit_cap_zero:
        return "validation.rate_limit_cap_zero";
      case Errc::rate_limit_burst_without_rate:
        return "validation.rate_limit_burst_without_rate";
      case Errc::rate_limit_burst_range:
        return "validation.rate_limit_burst_range";
      case Errc::rate_limit_on_legacy_shape:
        return "validation.rate_limit_on_legacy_shape";
      case Errc::rule_update_shape_mismatch:
        return "validation.rule_update_shape_mismatch";
      case Errc::client_not_connected:
      case Errc::client_lost:
        return "client_not_connected";
      case Errc::client_not_found:
        return "client_not_found";
      case Errc::client_not_granted:
        return "client_not_granted";
      case Errc::protocol_not_granted:
        return "protocol_not_granted";
      case Errc::port_outside_grant:
        return "port_outside_grant";
      case Errc::unsupported_protocol:
        return "unsupported_protocol";
      case Errc::multi_target_unsupported_by_client:
        return "multi_target_unsupported_by_client";
      case Errc::sni_unsupported_by_client:
        return "sni_unsupported_by_client";
      case Errc::proxy_protocol_unsupported_by_client:
        return "proxy_protocol_unsupported_by_client";
      case Errc::rate_limit_unsupported_by_client:
        return "rate_limit_unsupported_by_client";
      case Errc::port_in_use:
        return "port_in_use";
      case Errc::sni_route_duplicate:
        return "conflict.sni_route_duplicate";
      case Errc::sni_fallback_duplicate:
        return "conflict.sni_fallback_duplicate";
      case Errc::legacy_to_sni_unsupported:
        return "conflict.legacy_to_sni_unsupported";
      case Errc::activation_failed:
        return "activation_failed";
      case Errc::ack_timeout:
        return "ack_timeout";
      case Errc::rule_not_found:
        return "rule_not_found";
      case Errc::not_owner:
        return "not_owner";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::server::rules
