#include "server/http/errc.hpp"

#include <string>

namespace portunus::server::http {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "http"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::body_too_large:
        return "the body is too large";
      case Errc::body_malformed:
        return "the body is incomplete or malformed";
      case Errc::body_timeout:
        return "the body did not arrive in time";
      case Errc::bodies_too_large:
        return "the bodies of all requests together are too large";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::server::http
