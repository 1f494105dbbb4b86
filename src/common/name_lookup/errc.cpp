#include "common/name_lookup/errc.hpp"

#include <string>

namespace portunus::name_lookup {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "name_lookup"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::timed_out:
        return "timed out";
      case Errc::failed:
        return "name resolution failed";
      case Errc::no_descriptors:
        return "no socket";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::name_lookup
