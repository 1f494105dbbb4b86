#include "dataplane/tcp/hello_look.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "dataplane/sni/client_hello.hpp"

namespace portunus::dataplane::tcp {
namespace {

using State = HelloLook::State;

/// data-plane section 1. Nearly every hello fits; the rest takes a second look.
constexpr std::size_t kRead = 4096;

}  // namespace

HelloLook look_for_hello(int socket, std::span<std::byte> scratch) {
  std::size_t most = kRead;
  while (true) {
    const ssize_t n = ::recv(socket, scratch.data(), most, MSG_PEEK);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {State::waiting};
    if (n <= 0) return {State::closed};
    const auto bytes = scratch.first(static_cast<std::size_t>(n));
    sni::Hello hello = sni::parse_client_hello(bytes);
    switch (hello.state) {
      case sni::Hello::State::valid:
        return {State::hello, std::move(hello.server_name)};
      case sni::Hello::State::not_tls:
        return {State::not_tls};
      case sni::Hello::State::malformed:
        return {State::malformed};
      case sni::Hello::State::incomplete:
        break;
    }
    const std::size_t wanted = sni::bytes_for_verdict(bytes);
    if (bytes.size() < most) return {State::waiting, {}, wanted};
    most = wanted;
  }
}

}  // namespace portunus::dataplane::tcp
