#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "dataplane/dns/resolver.hpp"
#include "dataplane/failover/dial_plan.hpp"
#include "dataplane/udp/fwd.hpp"

namespace portunus::dataplane::udp {

/// What a flow has only while it is being built: how far that has come, and its first datagram.
/// Owned by the flow, driven by the worker's FlowOpener.
struct Opening
    : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  enum class Stage : std::uint8_t {
    admitting,  ///< queued; nothing was asked or opened yet
    resolving,  ///< a name was asked for
    resolved,   ///< queued with the answer
    sending,    ///< connected; waits until the socket takes the first datagram
  };

  explicit Opening(Flow& owner) : flow(owner) {}

  Flow& flow;
  Stage stage = Stage::admitting;
  /// Tells an answer that comes too late from one that is waited for.
  std::uint64_t serial = 0;
  /// Number of the receive batch that brought the first datagram.
  std::uint64_t batch = 0;
  failover::DialPlan plan;
  std::optional<dns::Resolver::Reply> reply;
  std::unique_ptr<std::byte[]> datagram;
  std::uint32_t size = 0;
};

}  // namespace portunus::dataplane::udp
