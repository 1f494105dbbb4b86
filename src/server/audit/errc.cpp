#include "server/audit/errc.hpp"

#include <string>

namespace portunus::server::audit {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "audit"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::invalid_limit:
        return "invalid_limit";
      case Errc::invalid_outcome:
        return "invalid_outcome";
      case Errc::invalid_timestamp:
        return "invalid_timestamp";
      case Errc::invalid_time_range:
        return "invalid_time_range";
      case Errc::invalid_cursor:
        return "invalid_cursor";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::server::audit
