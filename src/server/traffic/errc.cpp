#include "server/traffic/errc.hpp"

#include <string>

namespace portunus::server::traffic {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "traffic"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::invalid_client_name:
        return "invalid_client_name";
      case Errc::client_not_found:
        return "client_not_found";
      case Errc::invalid_time_range:
        return "invalid_time_range";
      case Errc::invalid_bucket:
        return "invalid_bucket";
      case Errc::quota_bucket_out_of_retention:
        return "quota_bucket_out_of_retention";
      case Errc::traffic_too_many_rows:
        return "traffic_too_many_rows";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::server::traffic
