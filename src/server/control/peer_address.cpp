#include "server/control/peer_address.hpp"

#include "common/base/hex.hpp"
#include "common/net/endpoint.hpp"

namespace portunus::server::control {
namespace {

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      if (const auto byte = hex_decode(text.substr(i + 1, 2))) {
        out += static_cast<char>(byte->front());
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

}  // namespace

std::string peer_address(std::string_view peer) {
  for (const std::string_view scheme : {"ipv4:", "ipv6:"}) {
    if (!peer.starts_with(scheme)) continue;
    const std::string text = percent_decoded(peer.substr(scheme.size()));
    const auto endpoint = net::Endpoint::parse(text);
    return endpoint ? endpoint->text() : text;
  }
  return std::string(peer);
}

}  // namespace portunus::server::control
