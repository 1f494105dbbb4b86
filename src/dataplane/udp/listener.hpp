#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>

#include "common/net/unique_fd.hpp"
#include "dataplane/reactor/poller.hpp"
#include "dataplane/stats/rule_counters.hpp"
#include "dataplane/udp/bind_ports.hpp"
#include "dataplane/udp/fwd.hpp"

namespace portunus::dataplane::udp {

/// One worker's socket of one listen port: receives a batch a turn and hands it to the worker's
/// Inbound (UDP-8); flows send their replies from it. The rule's slice owns it. A failing receive
/// is logged and tried again after 50 ms; the rule goes on.
class Listener final : private reactor::Pollable, private reactor::Deferred {
 public:
  Listener(RuleSlice& slice, boost::asio::io_context& context, BoundPort bound);

  /// False when the poller refuses it.
  bool start();
  void close();

  RuleSlice& slice() { return slice_; }
  int fd() const { return fd_.get(); }
  std::uint16_t port() const { return port_; }
  /// Of the port in the rule's range.
  std::uint16_t offset() const { return offset_; }
  /// With the slot of the port, where flows of it begin.
  const stats::Meter& meter() const { return meter_; }

 private:
  void on_ready(std::uint32_t) override { receive(); }
  void run_deferred() override { receive(); }
  void receive();
  void pause(int error);

  RuleSlice& slice_;
  net::UniqueFd fd_;
  const std::uint16_t offset_;
  const std::uint16_t port_;
  /// The port's first socket, whose end is the port's.
  const bool first_;
  bool paused_ = false;
  stats::Meter meter_;
  boost::asio::steady_timer retry_;
};

}  // namespace portunus::dataplane::udp
