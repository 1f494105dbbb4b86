#include "dataplane/udp/udp_events.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "common/log/logger.hpp"
#include "dataplane/udp/send_result.hpp"

namespace portunus::dataplane::udp {
namespace {

using log::enabled;
using log::Event;

std::string text_of(int error) {
  return std::system_category().message(error);
}

std::string source_of(FlowKey flow) {
  sockaddr_storage storage{};
  const sockaddr_in source = flow.source();
  std::memcpy(&storage, &source, sizeof source);
  return net::Endpoint::from_sockaddr(storage)->text();
}

/// What became of the datagram, as a word of the contract's table of counters.
std::string_view action_of(int error) {
  switch (classify(error)) {
    case SendResult::dropped:
      return "send_dropped";
    case SendResult::too_long:
      return "emsgsize";
    case SendResult::evicts:
      return "icmp_evict";
  }
  return {};
}

bool is_owners(model::Reject reason) {
  switch (reason) {
    case model::Reject::conn_concurrent:
    case model::Reject::conn_rate:
    case model::Reject::udp_flow_rate:
      return false;
    case model::Reject::owner_concurrent:
    case model::Reject::owner_conn_rate:
    case model::Reject::owner_udp_flow_rate:
      return true;
  }
  return false;
}

}  // namespace

void UdpEvents::listener_drained(std::uint16_t port) const {
  rule_.log(Event::udp_listener_drained, {{"listen_port", port}});
}

void UdpEvents::listener_recv_failed(std::uint16_t port, int error) {
  if (!enabled(Event::udp_listener_recv_failed)) return;
  rule_.log_limited(Event::udp_listener_recv_failed, recv_failures_,
                    {{"listen_port", port}, {"error", text_of(error)}});
}

void UdpEvents::dropped_overflow(FlowKey flow) {
  if (!enabled(Event::udp_flow_dropped_overflow)) return;
  rule_.log_limited(Event::udp_flow_dropped_overflow, overflows_,
                    {{"listen_port", flow.listen_port()}, {"source", source_of(flow)}});
}

void UdpEvents::pending_drop(FlowKey flow) {
  if (!enabled(Event::udp_flow_pending_drop)) return;
  rule_.log_limited(Event::udp_flow_pending_drop, pending_drops_,
                    {{"listen_port", flow.listen_port()}, {"source", source_of(flow)}});
}

void UdpEvents::addflow_dropped(FlowKey flow, std::string_view reason) {
  if (!enabled(Event::udp_addflow_dropped)) return;
  rule_.log_limited(
      Event::udp_addflow_dropped, addflow_drops_,
      {{"listen_port", flow.listen_port()}, {"source", source_of(flow)}, {"reason", reason}});
}

void UdpEvents::first_packet_rejected(FlowKey flow, model::Reject reason) {
  if (!enabled(Event::udp_first_packet_rejected)) return;
  rule_.log_limited(Event::udp_first_packet_rejected, rejects_,
                    {{"listen_port", flow.listen_port()},
                     {"source", source_of(flow)},
                     {"scope", is_owners(reason) ? "owner" : "rule"},
                     {"reason", model::reject_name(reason)}});
}

void UdpEvents::dns_resolved(const failover::DialPlan& plan, std::size_t addresses) const {
  if (!enabled(Event::rule_dns_resolved)) return;
  rule_.log(Event::rule_dns_resolved, {{"rule", std::to_string(rule_.id().value)},
                                       {"host", plan.name()},
                                       {"chosen_addr", plan.endpoint().address().text()},
                                       {"addr_count", addresses},
                                       {"prefer_ipv6", rule_.spec().prefer_ipv6.value_or(false)}});
}

void UdpEvents::bind_failed(FlowKey flow, const net::Endpoint& target, int error) {
  if (!enabled(Event::udp_upstream_bind_failed)) return;
  rule_.log_limited(Event::udp_upstream_bind_failed, bind_failures_,
                    {{"listen_port", flow.listen_port()},
                     {"source", source_of(flow)},
                     {"target", target.text()},
                     {"error", text_of(error)}});
}

void UdpEvents::connect_failed(FlowKey flow, const net::Endpoint& target, int error) {
  if (!enabled(Event::udp_upstream_connect_failed)) return;
  rule_.log_limited(Event::udp_upstream_connect_failed, connect_failures_,
                    {{"listen_port", flow.listen_port()},
                     {"source", source_of(flow)},
                     {"target", target.text()},
                     {"error", text_of(error)}});
}

void UdpEvents::row_failed(FlowKey flow, const failover::DialPlan::RowFailure& row) {
  const model::Target& target = rule_.spec().targets[row.row];
  if (row.dns && enabled(Event::udp_dns_failed)) {
    rule_.log_limited(Event::udp_dns_failed, dns_failures_,
                      {{"rule", std::to_string(rule_.id().value)},
                       {"host", target.host},
                       {"reason", dns::failure_name(*row.dns)},
                       {"detail", row.error},
                       {"listen_port", flow.listen_port()},
                       {"source", source_of(flow)}});
  }
  if (!rule_.multi_target() || !enabled(Event::udp_target_dial_failed)) return;
  const std::string_view reason = row.dns ? dns::failure_name(*row.dns) : row.error;
  rule_.log_limited(Event::udp_target_dial_failed, dial_failures_,
                    {{"listen_port", flow.listen_port()},
                     {"source", source_of(flow)},
                     {"target_index", row.row},
                     {"target_host", target.host},
                     {"target_port", target.port},
                     {"reason", reason}});
}

void UdpEvents::all_targets_failed(FlowKey flow) {
  if (!rule_.multi_target() || !enabled(Event::udp_all_targets_failed)) return;
  rule_.log_limited(Event::udp_all_targets_failed, all_failed_,
                    {{"listen_port", flow.listen_port()},
                     {"source", source_of(flow)},
                     {"target_count", rule_.spec().targets.size()}});
}

void UdpEvents::flow_opened(FlowKey flow, const net::Endpoint& target) const {
  if (!enabled(Event::udp_flow_opened)) return;
  rule_.log(Event::udp_flow_opened, {{"listen_port", flow.listen_port()},
                                     {"source", source_of(flow)},
                                     {"target", target.text()}});
}

void UdpEvents::first_packet_send_dropped(FlowKey flow, const net::Endpoint& target,
                                          int error) const {
  if (!enabled(Event::udp_first_packet_send_dropped)) return;
  rule_.log(Event::udp_first_packet_send_dropped, {{"listen_port", flow.listen_port()},
                                                   {"source", source_of(flow)},
                                                   {"target", target.text()},
                                                   {"action", action_of(error)},
                                                   {"error", text_of(error)}});
}

void UdpEvents::evicted(FlowKey flow, const net::Endpoint& target, int error, bool first_packet) {
  if (!enabled(Event::udp_flow_evicted_icmp)) return;
  const std::string source = source_of(flow);
  const std::string target_text = target.text();
  const std::string error_text = text_of(error);
  if (first_packet) {
    rule_.log_limited(Event::udp_flow_evicted_icmp, evictions_,
                      {{"listen_port", flow.listen_port()},
                       {"source", source},
                       {"target", target_text},
                       {"error", error_text},
                       {"phase", "first_packet"}});
  } else {
    rule_.log_limited(Event::udp_flow_evicted_icmp, evictions_,
                      {{"listen_port", flow.listen_port()},
                       {"source", source},
                       {"target", target_text},
                       {"error", error_text}});
  }
}

void UdpEvents::closed_idle(FlowKey flow, const Totals& totals) const {
  if (!enabled(Event::udp_flow_closed_idle)) return;
  rule_.log(Event::udp_flow_closed_idle, {{"listen_port", flow.listen_port()},
                                          {"source", source_of(flow)},
                                          {"bytes_in", totals.bytes_in},
                                          {"bytes_out", totals.bytes_out},
                                          {"datagrams_in", totals.datagrams_in},
                                          {"datagrams_out", totals.datagrams_out}});
}

void UdpEvents::emsgsize(FlowKey flow, std::uint32_t dropped) const {
  if (!enabled(Event::udp_emsgsize)) return;
  rule_.log(
      Event::udp_emsgsize,
      {{"listen_port", flow.listen_port()}, {"source", source_of(flow)}, {"dropped", dropped}});
}

void UdpEvents::upstream_wouldblock(FlowKey flow, std::uint32_t dropped) const {
  if (!enabled(Event::udp_upstream_wouldblock)) return;
  rule_.log(
      Event::udp_upstream_wouldblock,
      {{"listen_port", flow.listen_port()}, {"source", source_of(flow)}, {"dropped", dropped}});
}

void UdpEvents::reply_wouldblock(FlowKey flow, std::uint32_t dropped) const {
  if (!enabled(Event::udp_reply_wouldblock)) return;
  rule_.log(
      Event::udp_reply_wouldblock,
      {{"listen_port", flow.listen_port()}, {"source", source_of(flow)}, {"dropped", dropped}});
}

void UdpEvents::reply_send_failed(std::uint16_t port, int error) {
  if (!enabled(Event::udp_reply_send_failed)) return;
  rule_.log_limited(Event::udp_reply_send_failed, reply_failures_,
                    {{"listen_port", port}, {"error", text_of(error)}});
}

}  // namespace portunus::dataplane::udp
