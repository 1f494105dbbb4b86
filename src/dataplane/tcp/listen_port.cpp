#include "dataplane/tcp/listen_port.hpp"

#include <utility>

namespace portunus::dataplane::tcp {

ListenPort::ListenPort(PortSink& sink, boost::asio::io_context& context, reactor::Poller& poller,
                       std::uint16_t number, std::uint16_t offset, ListenPair sockets)
    : sink_(sink),
      poller_(poller),
      number_(number),
      offset_(offset),
      v6_(*this, context, std::move(sockets.v6)),
      v4_(*this, context, std::move(sockets.v4)) {}

bool ListenPort::start() {
  return v6_.start() && v4_.start();
}

void ListenPort::close() {
  v6_.close();
  v4_.close();
}

std::string listener_role(const ListenPort& port) {
  return "Listener(" + std::to_string(port.number()) + ")";
}

}  // namespace portunus::dataplane::tcp
