#pragma once

#include <memory>
#include <unordered_map>

#include "dataplane/tcp/fwd.hpp"
#include "dataplane/tcp/listen_sockets.hpp"
#include "dataplane/tcp/sni_group.hpp"
#include "dataplane/tcp/sni_port.hpp"

namespace portunus::dataplane::tcp {

/// One worker's ports in SNI mode, those included whose last peeks outlive their listeners. On the
/// worker's thread.
class SniPorts {
 public:
  explicit SniPorts(Worker& worker) : worker_(worker) {}

  /// Takes the sockets of this worker into service; every member must have its slice already. False
  /// when the system refuses; then the port does not listen any more.
  bool open(std::shared_ptr<SniGroup> group, ListenPair sockets,
            std::shared_ptr<const SniRoutes> routes);
  /// Both ignore a group that is not here.
  void set_routes(const SniGroup& group, std::shared_ptr<const SniRoutes> routes);
  void close(const SniGroup& group);
  /// Closes everything and resets everyone who waits.
  void stop();

  /// Called by a port that has nothing left.
  void drop(SniPort& port);

 private:
  Worker& worker_;
  std::unordered_map<const SniGroup*, std::unique_ptr<SniPort>> ports_;
};

}  // namespace portunus::dataplane::tcp
