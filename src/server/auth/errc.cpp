#include "server/auth/errc.hpp"

#include <string>

namespace portunus::server::auth {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "auth"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::bootstrap_required:
        return "bootstrap_required";
      case Errc::unauthenticated:
        return "unauthenticated";
      case Errc::credential_invalid:
        return "credential_invalid";
      case Errc::user_disabled:
        return "user_disabled";
      case Errc::role_required:
        return "role_required";
      case Errc::not_owner:
        return "not_owner";
      case Errc::already_bootstrapped:
        return "already_bootstrapped";
      case Errc::invalid_display_name:
        return "invalid_display_name";
      case Errc::password_too_short:
        return "password_too_short";
      case Errc::password_too_long:
        return "password_too_long";
      case Errc::password_hash_failed:
        return "password_hash_failed";
      case Errc::invalid_name:
        return "invalid_name";
      case Errc::invalid_client_address:
        return "invalid_client_address";
      case Errc::invalid_enrollment_ttl:
        return "invalid_enrollment_ttl";
      case Errc::client_already_exists:
        return "client_already_exists";
      case Errc::client_not_found:
        return "client_not_found";
      case Errc::client_not_revoked:
        return "client_not_revoked";
      case Errc::endpoint_invalid:
        return "endpoint_invalid";
      case Errc::endpoint_not_in_cert_san:
        return "endpoint_not_in_cert_san";
      case Errc::enrollment_invalid:
        return "enrollment_invalid";
      case Errc::enrollment_used:
        return "enrollment_used";
      case Errc::enrollment_expired:
        return "enrollment_expired";
      case Errc::missing_token:
        return "missing_token";
      case Errc::malformed_token:
        return "malformed_token";
      case Errc::token_not_found:
        return "token_not_found";
      case Errc::token_revoked:
        return "token_revoked";
      case Errc::password_queue_full:
        return "password_queue_full";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::server::auth
