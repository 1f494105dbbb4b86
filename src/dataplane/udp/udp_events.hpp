#pragma once

#include <cstdint>
#include <string_view>

#include "common/log/limiter.hpp"
#include "common/model/traffic.hpp"
#include "dataplane/failover/dial_plan.hpp"
#include "dataplane/rules/live_rule.hpp"
#include "dataplane/udp/flow_key.hpp"

namespace portunus::dataplane::udp {

/// The log lines of one UDP rule (observability section 4). Any thread; every method first asks
/// whether its line is wanted at all.
class UdpEvents {
 public:
  explicit UdpEvents(rules::LiveRule& rule) : rule_(rule) {}

  void listener_drained(std::uint16_t port) const;
  void listener_recv_failed(std::uint16_t port, int error);

  void dropped_overflow(FlowKey flow);
  void pending_drop(FlowKey flow);
  void addflow_dropped(FlowKey flow, std::string_view reason);
  void first_packet_rejected(FlowKey flow, model::Reject reason);

  void dns_resolved(const failover::DialPlan& plan, std::size_t addresses) const;
  void bind_failed(FlowKey flow, const net::Endpoint& target, int error);
  void connect_failed(FlowKey flow, const net::Endpoint& target, int error);
  /// A row of the rule did not take the flow.
  void row_failed(FlowKey flow, const failover::DialPlan::RowFailure& row);
  void all_targets_failed(FlowKey flow);

  void flow_opened(FlowKey flow, const net::Endpoint& target) const;
  void first_packet_send_dropped(FlowKey flow, const net::Endpoint& target, int error) const;
  void evicted(FlowKey flow, const net::Endpoint& target, int error, bool first_packet);
  struct Totals {
    std::uint64_t bytes_in = 0, bytes_out = 0, datagrams_in = 0, datagrams_out = 0;
  };
  void closed_idle(FlowKey flow, const Totals& totals) const;

  void emsgsize(FlowKey flow, std::uint32_t dropped) const;
  void upstream_wouldblock(FlowKey flow, std::uint32_t dropped) const;
  void reply_wouldblock(FlowKey flow, std::uint32_t dropped) const;
  void reply_send_failed(std::uint16_t port, int error);

 private:
  rules::LiveRule& rule_;
  log::SharedLimiter recv_failures_;
  log::SharedLimiter overflows_;
  log::SharedLimiter pending_drops_;
  log::SharedLimiter addflow_drops_;
  log::SharedLimiter rejects_;
  log::SharedLimiter bind_failures_;
  log::SharedLimiter connect_failures_;
  log::SharedLimiter dial_failures_;
  log::SharedLimiter all_failed_;
  log::SharedLimiter reply_failures_;
  log::SharedLimiter dns_failures_{log::kSingles};
  log::SharedLimiter evictions_{log::kSingles};
};

}  // namespace portunus::dataplane::udp
