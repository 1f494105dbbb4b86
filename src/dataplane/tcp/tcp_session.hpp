#pragma once

#include <array>
#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "common/net/endpoint.hpp"
#include "common/net/unique_fd.hpp"
#include "dataplane/reactor/deadlines.hpp"
#include "dataplane/reactor/poller.hpp"
#include "dataplane/stats/rule_counters.hpp"
#include "dataplane/tcp/dial_phase.hpp"
#include "dataplane/tcp/fwd.hpp"
#include "dataplane/tcp/one_way.hpp"
#include "dataplane/tcp/shaper.hpp"

namespace portunus::dataplane::tcp {

using SessionHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct SessionTag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// One forwarded connection from accept to its end (data-plane section 4): a state machine that
/// the worker's poller drives. Owns both sockets; its dial phase finds the upstream. Comes from the
/// worker's pool and returns there by itself; its rule slice counts it and may cancel() it
/// or cut_off() it. Gives back the admission slots that it was opened with. Failures end this
/// connection and nothing else.
class TcpSession final : public SessionHook,
                         private reactor::Deferred,
                         private reactor::Deadline,
                         private DialHost,
                         private ShapedFlow {
 public:
  TcpSession() : down_(*this), up_(*this), dial_(*this) {}

  /// Begins with a socket accepted on the port at `offset` of the rule's range: dials the target
  /// and relays.
  void open(RuleSlice& slice, std::uint16_t offset, net::UniqueFd accepted,
            const net::Endpoint& peer);
  /// Aborts at the end of the drain window, dialling included (DRN-2).
  void cancel();
  /// Ends it because its owner has no quota left (QUO-5), dialling included.
  void cut_off();

 private:
  enum class State : std::uint8_t { unused, dialing, relaying, cutting, closed };
  enum class End : std::uint8_t { close, reset };

  struct Side final : reactor::Pollable {
    explicit Side(TcpSession& s) : session(s) {}
    void on_ready(std::uint32_t events) override { session.on_side(*this, events); }
    TcpSession& session;
    Leg leg;
  };

  void on_side(Side& side, std::uint32_t events);
  void run_deferred() override;
  void on_deadline() override;
  void on_unparked(limits::Direction direction) override;

  bool try_upstream(net::UniqueFd socket) override;
  void drop_upstream() override;
  int upstream_fd() const override { return up_.leg.fd; }
  int downstream_fd() const override { return down_.leg.fd; }
  const net::Endpoint& peer() const override { return peer_; }
  void on_dialed(std::size_t row) override;
  void on_dial_failed() override;

  bool watch(Side& side);
  bool choose_path(std::size_t row);
  void announce_splice(std::size_t row);
  /// False when the session is over.
  bool relay_in();
  bool relay_out();
  void relay_readable();
  void book_in();
  void book_out();
  void go_on_cutting();
  bool after_step(OneWay::Step step, OneWay& way, const OneWay& other, Leg& to);
  std::uint16_t listen_port() const;
  void fail(End end, std::string_view error);
  void finish();
  void release(End end);

  Worker* worker_ = nullptr;
  RuleSlice* slice_ = nullptr;
  Side down_;
  Side up_;
  DialPhase dial_;
  /// On the capped path only.
  std::unique_ptr<Shapers> shapers_;
  OneWay in_;
  OneWay out_;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  stats::Meter meter_;
  net::Endpoint peer_;
  std::uint16_t offset_ = 0;
  State state_ = State::unused;
  SpliceUse splice_;
};

}  // namespace portunus::dataplane::tcp
