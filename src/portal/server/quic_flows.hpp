#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/async/gate.hpp"
#include "portal/protocol/bytes.hpp"
#include "portal/protocol/udp_datagram.hpp"
#include "portal/quic/connection.hpp"
#include "portal/server/services.hpp"

namespace portunus::portal::server {

class QuicFlow;

/// The DATAGRAM flows of one connection (portal 12): a flow is an id and the exact bytes of its
/// target. Lives on the connection's thread, owned by its session, whose gate runs the flows'
/// coroutines; close_all() ends them, and the gate is drained before this is destroyed.
class QuicFlows {
 public:
  QuicFlows(CoreServices& core, quic::Connection& connection, async::Gate& gate)
      : core_(core), connection_(connection), gate_(gate) {}
  ~QuicFlows();
  QuicFlows(const QuicFlows&) = delete;
  QuicFlows& operator=(const QuicFlows&) = delete;

  /// One DATAGRAM of an authenticated client.
  void take(protocol::Bytes datagram);
  void close_all();
  std::size_t size() const { return flows_.size(); }

 private:
  friend class QuicFlow;

  struct KeyView {
    std::uint64_t id;
    std::string_view target;
  };
  struct Key {
    std::uint64_t id;
    std::string target;
    operator KeyView() const { return {id, target}; }
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const KeyView& key) const {
      return std::hash<std::string_view>()(key.target) ^ (key.id * 0x9e3779b97f4a7c15U);
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const KeyView& a, const KeyView& b) const {
      return a.id == b.id && a.target == b.target;
    }
  };

  void request(const protocol::DatagramView& view);
  void remove(const QuicFlow& flow);
  void log(log::Level level, std::string_view what, std::string_view detail) const;

  CoreServices& core_;
  quic::Connection& connection_;
  async::Gate& gate_;
  std::unordered_map<Key, std::shared_ptr<QuicFlow>, Hash, Equal> flows_;
};

}  // namespace portunus::portal::server
