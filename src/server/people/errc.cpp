#include "server/people/errc.hpp"

#include <string>

namespace portunus::server::people {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "people"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::invalid_user_id:
        return "invalid_user_id";
      case Errc::reserved_user_id:
        return "reserved_user_id";
      case Errc::invalid_display_name:
        return "invalid_display_name";
      case Errc::unknown_role:
        return "role_required";
      case Errc::initial_password_required:
        return "initial_password_required";
      case Errc::user_already_exists:
        return "user_already_exists";
      case Errc::user_not_found:
        return "user_not_found";
      case Errc::cannot_remove_self:
        return "cannot_remove_self";
      case Errc::last_superadmin:
        return "last_superadmin";
      case Errc::credential_not_found:
        return "credential_not_found";
      case Errc::invalid_client:
        return "invalid_client";
      case Errc::client_not_found:
        return "client_not_found";
      case Errc::invalid_port_range:
        return "invalid_port_range";
      case Errc::empty_protocol_set:
        return "empty_protocol_set";
      case Errc::grant_not_found:
        return "grant_not_found";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::server::people
