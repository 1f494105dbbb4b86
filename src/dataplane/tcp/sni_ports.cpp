#include "dataplane/tcp/sni_ports.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "dataplane/tcp/worker.hpp"

namespace portunus::dataplane::tcp {

bool SniPorts::open(std::shared_ptr<SniGroup> group, ListenPair sockets,
                    std::shared_ptr<const SniRoutes> routes) {
  const reactor::Poller::Entry entry(worker_.poller);
  const SniGroup* const key = group.get();
  auto made = std::make_unique<SniPort>(worker_, std::move(group), std::move(sockets));
  SniPort& port = *ports_.emplace(key, std::move(made)).first->second;
  if (port.start(std::move(routes))) return true;
  port.close();
  return false;
}

void SniPorts::set_routes(const SniGroup& group, std::shared_ptr<const SniRoutes> routes) {
  const auto it = ports_.find(&group);
  if (it != ports_.end()) it->second->set_routes(std::move(routes));
}

void SniPorts::close(const SniGroup& group) {
  const reactor::Poller::Entry entry(worker_.poller);
  const auto it = ports_.find(&group);
  if (it != ports_.end()) it->second->close();
}

void SniPorts::stop() {
  for (auto& [group, port] : ports_) {
    port->close();
    port->cancel();
  }
}

void SniPorts::drop(SniPort& port) {
  // Later, because the batch at hand may still have events for the port's listeners.
  boost::asio::post(worker_.context, [this, key = &port.group()] { ports_.erase(key); });
}

}  // namespace portunus::dataplane::tcp
