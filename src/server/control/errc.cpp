#include "server/control/errc.hpp"

#include <string>

namespace portunus::server::control {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "control"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::grpc_start_failed:
        return "the control service could not be started";
    }
    return "unknown control error";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::server::control
