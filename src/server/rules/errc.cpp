#include "server/rules/errc.hpp"

#include <string>

namespace portunus::server::rules {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "rules"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::not_available:
        return "not_available";
      case Errc::invalid_name:
        return "invalid_name";
      case Errc::invalid_protocol:
        return "invalid_protocol";
      case Errc::range_invalid:
        return "range_invalid";
      case Errc::target_port_invalid:
        return "target_invalid_port";
      case Errc::invalid_target_host:
        return "invalid_target_host";
      case Errc::invalid_target_host_too_long:
        return "invalid_target_host_too_long";
      case Errc::invalid_target_host_label_too_long:
        return "invalid_target_host_label_too_long";
      case Errc::invalid_target_host_label_hyphen:
        return "invalid_target_host_label_hyphen";
      case Errc::rule_shape_missing:
        return "rule_shape_missing";
      case Errc::rule_shape_conflict:
        return "rule_shape_conflict";
      case Errc::client_not_connected:
        return "client_not_connected";
      case Errc::client_not_found:
        return "client_not_found";
      case Errc::client_not_granted:
        return "client_not_granted";
      case Errc::port_in_use:
        return "port_in_use";
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
