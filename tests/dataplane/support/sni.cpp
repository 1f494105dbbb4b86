#include "tests/dataplane/support/sni.hpp"

#include <cerrno>
#include <utility>

namespace portunus::test {

model::RuleSpec sni_rule(std::uint64_t id, std::uint16_t port, const Server& target,
                         std::optional<std::string> pattern) {
  model::RuleSpec spec = Engine::rule(id, port, target.port());
  spec.sni_pattern = std::move(pattern);
  return spec;
}

std::function<void(Socket)> says(char letter) {
  return [letter](Socket socket) {
    if (socket.send(std::string(1, letter))) Server::echo(std::move(socket));
  };
}

std::string ask(Socket& socket, const std::string& bytes) {
  if (!socket.valid()) return "refused";
  socket.send(bytes);
  const std::string got = socket.receive(1 + bytes.size());
  if (got.size() == 1 + bytes.size() && got.ends_with(bytes)) return got.substr(0, 1);
  if (got.empty() && socket.error() == ECONNRESET) return "reset";
  if (got.empty() && socket.error() == 0) return kDropped;
  return "error " + std::to_string(socket.error()) + " after " + got;
}

std::string ask_v4(std::uint16_t port, const std::string& bytes) {
  Socket socket = Socket::try_connect(port);
  return ask(socket, bytes);
}

std::string ask_for(std::uint16_t port, const std::string& name) {
  return ask_v4(port, client_hello(name));
}

bool accepted(const Socket& client) {
  return eventually([&] { return find_connected(client.local_port(), client.fd()).has_value(); });
}

std::optional<model::SniPortTraffic> SniEngine::sni(std::uint16_t port) {
  for (const model::SniPortTraffic& entry : forwarder().sni_ports()) {
    if (entry.listen_port == port) return entry;
  }
  return std::nullopt;
}

}  // namespace portunus::test
