#include "server/quotas/errc.hpp"

#include <string>

namespace portunus::server::quotas {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "quotas"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::invalid_quota_size:
        return "invalid_quota_size";
      case Errc::invalid_client_name:
        return "invalid_client_name";
      case Errc::client_not_found:
        return "client_not_found";
      case Errc::quota_target_not_found:
        return "quota_target_not_found";
      case Errc::quota_unsupported_by_client:
        return "quota_unsupported_by_client";
      case Errc::invalid_billing_anchor:
        return "invalid_billing_anchor";
      case Errc::billing_anchor_immutable:
        return "billing_anchor_immutable";
      case Errc::quota_not_found:
        return "quota_not_found";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::server::quotas
