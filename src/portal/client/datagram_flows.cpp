#include "portal/client/datagram_flows.hpp"

#include <utility>

namespace portunus::portal::client {

DatagramFlows::Id DatagramFlows::add(std::string target, UdpReceiver& receiver) {
  const Id id = next_++;
  flows_.emplace(id, Flow{std::move(target), &receiver});
  return id;
}

UdpReceiver* DatagramFlows::match(Id id, std::string_view target) const {
  const auto flow = flows_.find(id);
  if (flow == flows_.end() || flow->second.target != target) return nullptr;
  return flow->second.receiver;
}

}  // namespace portunus::portal::client
