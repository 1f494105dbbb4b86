#include "server/owner_caps/errc.hpp"

#include <string>

namespace portunus::server::owner_caps {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "owner_caps"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::client_name_invalid:
        return "validation.client_name_invalid";
      case Errc::client_not_found:
        return "client_not_found";
      case Errc::invalid_user_id:
        return "invalid_user_id";
      case Errc::burst_unsupported:
        return "validation.rate_limit_burst_unsupported";
      case Errc::cap_zero:
        return "validation.rate_limit_cap_zero";
      case Errc::burst_without_rate:
        return "validation.rate_limit_burst_without_rate";
      case Errc::burst_range:
        return "validation.rate_limit_burst_range";
      case Errc::unsupported_by_client:
        return "rate_limit_unsupported_by_client";
      case Errc::owner_rate_limit_not_found:
        return "owner_rate_limit_not_found";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::server::owner_caps
