#include "portal/client/errc.hpp"

#include <string>

namespace portunus::portal::client {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "portal_client"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::bad_pin:
        return "the pin must be the 64 hex digits of a SHA-256";
      case Errc::trust_conflict:
        return "a pin and trust in any certificate exclude each other";
      case Errc::no_host:
        return "the URL names no host to connect to";
      case Errc::no_port:
        return "the URL names no port to connect to";
      case Errc::bad_pool_size:
        return "the pool holds 0 to 9 connections";
      case Errc::bad_target:
        return "the target must be host:port, an IPv6 host in brackets";
      case Errc::unreachable:
        return "the Portal cannot be reached";
      case Errc::handshake_failed:
        return "the handshake with the Portal failed";
      case Errc::timed_out:
        return "the Portal did not answer in time";
      case Errc::access_denied:
        return "the Portal refused the key";
      case Errc::connection_lost:
        return "the connection to the Portal ended";
      case Errc::too_many_flows:
        return "too many UDP flows";
      case Errc::stopped:
        return "the client is stopping";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::portal::client
