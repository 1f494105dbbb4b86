#include "server/web_auth/errc.hpp"

#include <string>

namespace portunus::server::web_auth {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "web_auth"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::invalid_login:
        return "invalid_login";
      case Errc::rate_limited:
        return "rate_limited";
      case Errc::setup_token_required:
        return "setup_token_required";
      case Errc::setup_token_invalid:
        return "setup_token_invalid";
      case Errc::invalid_user_id:
        return "invalid_user_id";
      case Errc::reserved_user_id:
        return "reserved_user_id";
      case Errc::password_mismatch:
        return "password_mismatch";
      case Errc::user_already_exists:
        return "user_already_exists";
      case Errc::user_not_found:
        return "user_not_found";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::server::web_auth
