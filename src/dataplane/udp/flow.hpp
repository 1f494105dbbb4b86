#pragma once

#include <netinet/in.h>

#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <memory>
#include <span>

#include "common/base/clock.hpp"
#include "common/net/endpoint.hpp"
#include "common/net/unique_fd.hpp"
#include "dataplane/reactor/poller.hpp"
#include "dataplane/stats/rule_counters.hpp"
#include "dataplane/udp/flow_key.hpp"
#include "dataplane/udp/fwd.hpp"
#include "dataplane/udp/opening.hpp"
#include "dataplane/udp/pump.hpp"

namespace portunus::dataplane::udp {

using FlowHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct FlowTag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// One source at one listen port and its connected upstream socket (UDP-2, UDP-3). Comes from the
/// worker's FlowPool with a place under the rule's cap, which it gives back when it ends; its rule
/// slice lists it and may end it. Failures end this flow and nothing else.
class Flow final : public FlowHook, private reactor::Deferred, private reactor::Pollable {
 public:
  Flow() = default;
  ~Flow() = default;
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  /// A new life, under construction: `local` is the address of this host that the source uses.
  void begin(Listener& listener, FlowKey key, in_addr local, std::unique_ptr<Opening> opening);
  /// Null once the flow is live.
  Opening* opening() { return opening_.get(); }
  bool live() const { return state_ == State::live; }
  FlowKey key() const { return key_; }
  Listener& listener() { return *listener_; }
  net::Endpoint target() const;

  /// Admitted by the limits, which it leaves at its end.
  void admitted() { admitted_ = true; }
  /// Registers the socket that leads to the target of that row. False when the system refuses.
  bool connect(net::UniqueFd fd, std::size_t row);
  /// Says whether to report when the socket takes more. False when the system refuses.
  bool watch_writable(bool on);
  /// The first datagram is settled: from now on datagrams pass directly.
  void go_live();

  /// Sends and books what the toll lets pass and the socket accepts; no more.
  Carried send_up(std::span<const Datagrams> pieces);
  /// The same for what send_up() has let pass and the socket has not taken: it does not pay for
  /// bandwidth again.
  Carried send_up_again(std::span<const Datagrams> pieces);
  /// Counts what send_up() could not send, and ends the flow when its target is gone.
  void settle_failures(const Carried& carried, bool first_packet);
  /// Datagrams of the source: both of the above.
  void forward(std::span<const Datagrams> pieces);

  bool idle_since(SteadyTime moment) const { return last_seen_ < moment; }
  void end_idle();
  /// Ends it at once, whatever its state, and says nothing.
  void end();

  /// Where the batch at hand has this flow; Inbound's.
  std::uint8_t group = 0;

 private:
  enum class State : std::uint8_t { unused, building, live, ended };

  void on_ready(std::uint32_t events) override;
  void run_deferred() override;
  Carried carry_up(std::span<const Datagrams> pieces);
  void on_receive_error(int error);
  void reply();
  void send_down(std::span<const Datagrams> pieces);
  void evict(int error, bool first_packet);

  State state_ = State::unused;
  bool admitted_ = false;
  /// What may leave joined, to the target and to the source.
  SegmentLimit limit_up_ = 0;
  SegmentLimit limit_down_ = 0;
  net::UniqueFd fd_;
  in_addr local_{};
  FlowKey key_;
  Worker* worker_ = nullptr;
  Listener* listener_ = nullptr;
  SteadyTime last_seen_{};
  stats::Meter meter_;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  std::uint64_t datagrams_in_ = 0;
  std::uint64_t datagrams_out_ = 0;
  std::unique_ptr<Opening> opening_;
};

}  // namespace portunus::dataplane::udp
