#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/async/task.hpp"
#include "common/net/endpoint.hpp"
#include "portal/protocol/auth_frame.hpp"
#include "portal/protocol/spec.hpp"
#include "portal/quic/connection.hpp"
#include "portal/quic/endpoint.hpp"

namespace portunus::test::peer {

using Clock = std::chrono::steady_clock;

/// What a client of one key and spec sends.
struct Secrets {
  std::string key;
  std::string spec = "auto";

  std::string auth_frame() const {
    const portal::protocol::AuthKey digest(key);
    return text(encode_auth_frame(layout(), digest, portal::protocol::fresh_nonce()));
  }
  portal::protocol::Spec layout() const { return *portal::protocol::Spec::derive(spec); }
  static std::string text(const portal::protocol::Frame& frame) {
    return {frame.begin(), frame.end()};
  }
};

inline double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}
inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// Ends the program with a line on stderr: what was measured says nothing then.
[[noreturn]] void give_up(std::string_view why);

async::Task<void> sleep_for(Clock::duration time);

/// A QUIC client endpoint of its own on the loop.
std::shared_ptr<portal::quic::Endpoint> quic_endpoint(boost::asio::io_context& io);
/// A connection whose handshake is complete. Any certificate is believed.
async::Task<std::shared_ptr<portal::quic::Connection>> quic_connect(portal::quic::Endpoint& client,
                                                                    net::Endpoint to);

struct Flood {
  net::Endpoint portal;
  Secrets secrets;
  std::string cause;
  unsigned tries = 0;
  unsigned at_once = 0;
  /// The local address that the Portal sees.
  std::string source;
  /// NOW_HANDSHAKE_TIMEOUT of the Portal.
  std::chrono::milliseconds base{0};
};
/// Fails to authenticate over QUIC in one way, again and again. For each try a line
/// `<seconds from the connect> <seconds from the handshake> <code> <reason>`; code -1 when the
/// Portal did not close by an application code.
void be_denied(boost::asio::io_context& io, const Flood& flood);
/// All ways there are, a line each.
void list_causes();

/// Authenticates correctly, again and again until stdin closes, over `carrier` (tls or quic). For
/// each time a line `<seconds of the handshake> <seconds of the authentication>`. It counts as done
/// when it shows: QUIC by a stream's credit, TLS by a byte that a target has sent back.
void be_welcome(boost::asio::io_context& io, net::Endpoint portal, const Secrets& secrets,
                std::string_view carrier, std::chrono::milliseconds pause);

}  // namespace portunus::test::peer
