#include "portal/config/errc.hpp"

#include <string>

namespace portunus::portal::config {
namespace {

const char* text(Errc e) {
  switch (e) {
    case Errc::missing_url:
      return "no Portal URL given; see portunus-portal help";
    case Errc::bad_url:
      return "invalid Portal URL";
    case Errc::bad_scheme:
      return "unsupported URL scheme, expected portal://";
    case Errc::missing_port:
      return "the Portal URL needs a port";
    case Errc::password_given:
      return "password credentials are not supported";
    case Errc::bad_key:
      return "the shared key must be 1..255 bytes of UTF-8";
    case Errc::bad_spec:
      return "invalid spec";
    case Errc::bad_alpn:
      return "invalid alpn";
    case Errc::bad_net:
      return "invalid net, expected mix, tcp or udp";
    case Errc::bad_tls:
      return "invalid tls, expected 1 or 2";
    case Errc::idle_timeout_long:
      return "NOW_UDP_IDLE_TIMEOUT exceeds the limit of QUIC";
  }
  return "unknown";
}

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "portal.config"; }
  std::string message(int value) const override { return text(static_cast<Errc>(value)); }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::portal::config
