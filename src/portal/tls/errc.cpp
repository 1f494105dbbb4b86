#include "portal/tls/errc.hpp"

#include <string>

namespace portunus::portal::tls {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "portal.tls"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::context_failed:
        return "TLS cannot be set up";
      case Errc::handshake_failed:
        return "TLS handshake failed";
      case Errc::untrusted:
        return "the certificate is not trusted";
      case Errc::wrong_alpn:
        return "the application protocol was not selected";
      case Errc::bad_record:
        return "bad TLS record";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::portal::tls
