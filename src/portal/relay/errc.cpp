#include "portal/relay/errc.hpp"

#include <string>

namespace portunus::portal::relay {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "portal.relay"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::truncated:
        return "the connection ended without its closing message";
      case Errc::aborted:
        return "ended on this side";
      case Errc::no_memory:
        return "no memory for a buffer";
      case Errc::no_address:
        return "no address to connect to";
      case Errc::lookup_failed:
        return "the name could not be looked up";
      case Errc::dial_timeout:
        return "no connection in time";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::portal::relay
