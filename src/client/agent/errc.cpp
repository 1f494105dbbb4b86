#include "client/agent/errc.hpp"

#include <string>

namespace portunus::client::agent {
namespace {

const char* text(Errc e) {
  switch (e) {
    case Errc::timed_out:
      return "timed out";
    case Errc::connect_failed:
      return "connect failed";
    case Errc::tls_failed:
      return "TLS handshake failed";
    case Errc::pin_mismatch:
      return "server certificate does not match the pin";
    case Errc::no_http2:
      return "server did not select HTTP/2";
    case Errc::no_descriptors:
      return "no socket";
    case Errc::bad_endpoint:
      return "bad server endpoint";
    case Errc::bundle_unreadable:
      return "bundle unreadable";
    case Errc::bundle_malformed:
      return "bundle malformed";
    case Errc::bundle_version:
      return "unsupported bundle version";
    case Errc::bundle_pin:
      return "bundle pin mismatch";
    case Errc::bundle_unwritable:
      return "bundle not written";
    case Errc::uri_scheme:
      return "bad enrollment URI scheme";
    case Errc::uri_query:
      return "missing enrollment URI query";
    case Errc::uri_path:
      return "bad enrollment URI path";
    case Errc::uri_pair:
      return "malformed enrollment URI query pair";
    case Errc::uri_field:
      return "missing enrollment URI field";
    case Errc::uri_pin:
      return "bad enrollment URI pin";
    case Errc::uri_code:
      return "bad enrollment URI code";
    case Errc::uri_certificate:
      return "bad enrollment URI certificate";
  }
  return "unknown";
}

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "agent"; }
  std::string message(int value) const override { return text(static_cast<Errc>(value)); }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::client::agent
