#include "server/store/errc.hpp"

#include <string>

namespace portunus::server::store {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "store"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::busy:
        return "store_busy";
      case Errc::constraint:
        return "constraint";
      case Errc::not_a_database:
        return "not_a_database";
      case Errc::schema_too_new:
        return "schema_version_too_new";
      case Errc::migration_failed:
        return "migration_failed";
      case Errc::in_use:
        return "store_in_use";
      case Errc::io:
        return "store_io";
      case Errc::closed:
        return "store_closed";
      case Errc::source_not_found:
        return "source not found";
      case Errc::destination_exists:
        return "destination exists";
      case Errc::destination_not_empty:
        return "destination not empty";
      case Errc::not_sqlite:
        return "not a sqlite file";
      case Errc::backup_too_new:
        return "schema_too_new";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::server::store
