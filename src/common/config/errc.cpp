#include "common/config/errc.hpp"

#include <string>

namespace portunus::config {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "config"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::config_invalid:
        return "config_invalid";
      case Errc::key_mode:
        return "tls key";
      case Errc::incomplete_pair:
        return "tls pair";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::config
