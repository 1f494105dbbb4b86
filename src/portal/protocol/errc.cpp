#include "portal/protocol/errc.hpp"

#include <string>

namespace portunus::portal::protocol {
namespace {

const char* text(Errc e) {
  switch (e) {
    case Errc::bad_spec:
      return "spec must be 1..255 bytes of UTF-8";
    // The next two texts are part of the contract (portal 3).
    case Errc::invalid_auth_frame:
      return "protocol::crypto::validate_auth_frame: invalid authentication frame";
    case Errc::trailing_auth_bytes:
      return "protocol::crypto::read_auth_stream: trailing auth stream bytes";
    case Errc::bad_version:
      return "unsupported protocol version";
    case Errc::bad_target_length:
      return "target must be 1..512 bytes";
    case Errc::bad_target:
      return "malformed target";
    case Errc::bad_padding_length:
      return "wrong padding length";
    case Errc::bad_padding:
      return "wrong padding";
    case Errc::short_datagram:
      return "datagram too short";
    case Errc::bad_datagram_type:
      return "unknown datagram type";
    case Errc::packet_too_long:
      return "packet longer than 65535 bytes";
    case Errc::bad_dial_host:
      return "target host cannot be dialled";
    case Errc::bad_dial_port:
      return "target port must be 0..65535";
  }
  return "unknown";
}

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "portal.protocol"; }
  std::string message(int value) const override { return text(static_cast<Errc>(value)); }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::portal::protocol
