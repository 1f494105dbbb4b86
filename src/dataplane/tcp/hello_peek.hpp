#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "common/base/clock.hpp"
#include "common/net/endpoint.hpp"
#include "common/net/unique_fd.hpp"
#include "dataplane/reactor/deadlines.hpp"
#include "dataplane/reactor/poller.hpp"
#include "dataplane/tcp/fwd.hpp"
#include "dataplane/tcp/sni_table.hpp"

namespace portunus::dataplane::tcp {

/// A connection that a port in SNI mode has accepted and no rule has yet.
struct Arrival {
  net::UniqueFd socket;
  net::Endpoint peer;
  SteadyTime accepted{};
};

using PeekHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct PeekTag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// The wait for one ClientHello that was not there when its connection was accepted: until it is
/// whole, or cannot become one, or 3 s are over (SNI-4). Owns the socket and the snapshot that the
/// connection took. Comes from the worker's pool and returns there by itself; its SniPort counts
/// it, is told the result, and may cancel() it.
class HelloPeek final : public PeekHook,
                        private reactor::Pollable,
                        private reactor::Deferred,
                        private reactor::Deadline {
 public:
  /// `wanted`: of the look that found too little.
  void open(SniPort& port, Arrival arrival, std::shared_ptr<const SniTable> table,
            std::size_t wanted);
  /// Closes the connection with a reset and tells nobody.
  void cancel();

 private:
  enum class State : std::uint8_t { unused, waiting, closed };

  void on_ready(std::uint32_t events) override;
  void on_deadline() override;
  void run_deferred() override;

  void wait_for(std::size_t wanted);
  /// The end of the wait: gives the permit back, then the connection as it was accepted.
  Arrival leave();

  Worker* worker_ = nullptr;
  SniPort* port_ = nullptr;
  Arrival arrival_;
  std::shared_ptr<const SniTable> table_;
  /// The socket reports nothing before so many bytes are there.
  std::size_t low_water_ = 1;
  State state_ = State::unused;
};

}  // namespace portunus::dataplane::tcp
