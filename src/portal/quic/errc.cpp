#include "portal/quic/errc.hpp"

#include <string>

namespace portunus::portal::quic {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "quic"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::out_of_memory:
        return "out of memory";
      case Errc::no_random:
        return "no random bytes";
      case Errc::bad_certificate:
        return "unusable certificate or key";
      case Errc::no_socket:
        return "no socket";
      case Errc::handshake_failed:
        return "handshake failed";
      case Errc::handshake_timeout:
        return "handshake timed out";
      case Errc::idle_timeout:
        return "idle timeout";
      case Errc::closed_by_peer:
        return "closed by the peer";
      case Errc::peer_error:
        return "the peer reported an error";
      case Errc::protocol_error:
        return "protocol error";
      case Errc::stateless_reset:
        return "stateless reset";
      case Errc::closed:
        return "connection closed";
      case Errc::stream_reset:
        return "stream reset by the peer";
      case Errc::stream_stopped:
        return "the peer stopped reading";
      case Errc::cancelled:
        return "cancelled";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

}  // namespace portunus::portal::quic
