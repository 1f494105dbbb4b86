#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "portal/client/transport.hpp"

namespace portunus::portal::client {

/// The UDP flows of a QUIC client by their ids (portal 12 and 18, "flow ids"). An id is never given
/// twice, so a late answer to a flow that is gone finds nothing. No I/O; one thread.
class DatagramFlows {
 public:
  using Id = std::uint64_t;

  /// A new flow to `target`, whose answers go to `receiver`.
  Id add(std::string target, UdpReceiver& receiver);
  void remove(Id id) { flows_.erase(id); }

  /// Who takes an answer that carries this id and target; null unless both are a flow's.
  UdpReceiver* match(Id id, std::string_view target) const;
  std::size_t size() const { return flows_.size(); }

 private:
  struct Flow {
    std::string target;
    UdpReceiver* receiver;
  };
  Id next_ = 1;
  std::unordered_map<Id, Flow> flows_;
};

}  // namespace portunus::portal::client
