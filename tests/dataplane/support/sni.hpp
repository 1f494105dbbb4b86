#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "tests/dataplane/support/engine.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/support/client_hello.hpp"

namespace portunus::test {

/// A rule for `pattern` on the port; without one it is a plain rule, or the fallback.
model::RuleSpec sni_rule(std::uint64_t id, std::uint16_t port, const Server& target,
                         std::optional<std::string> pattern = std::nullopt);

/// A target that says `letter` and then echoes.
std::function<void(Socket)> says(char letter);

/// What a connection that sends `bytes` receives from the target it is given: the target's letter,
/// if all of `bytes` came back unmodified behind it; otherwise what there was, and how it ended.
std::string ask(Socket& socket, const std::string& bytes);
std::string ask_v4(std::uint16_t port, const std::string& bytes);
/// The same for an ordinary hello that names `name`.
std::string ask_for(std::uint16_t port, const std::string& name);

/// Waits until the engine, which runs in this process, has accepted the connection.
bool accepted(const Socket& client);

/// What ask() says of a connection that was closed without a byte.
inline const std::string kDropped = "closed";

/// An engine whose rules share one port in SNI mode, and what the port reports.
class SniEngine : public Engine {
 public:
  using Engine::Engine;
  /// Nothing when the port is not in SNI mode.
  std::optional<model::SniPortTraffic> sni(std::uint16_t port);
};

}  // namespace portunus::test
