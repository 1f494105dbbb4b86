#include "portal/server/errc.hpp"

#include <string>

namespace portunus::portal::server {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "portal.server"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::host_unresolved:
        return "the listen host has no address";
      case Errc::bind_failed:
        return "cannot bind";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::portal::server
