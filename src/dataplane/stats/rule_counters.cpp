#include "dataplane/stats/rule_counters.hpp"

namespace portunus::dataplane::stats {

RuleCounters::RuleCounters(const model::RuleSpec& rule, unsigned workers)
    : id_(rule.id),
      first_port_(rule.listen_port),
      port_count_(rule.ports),
      target_count_(rule.targets.size()),
      shards_(std::make_unique<TrafficShard[]>(workers)),
      count_(workers) {
  for (unsigned i = 0; i < count_; ++i) {
    if (port_count_ > 1) shards_[i].ports = std::make_unique<PortSlot[]>(port_count_);
    if (target_count_ > 1) shards_[i].targets = std::make_unique<TargetSlot[]>(target_count_);
  }
}

model::RuleTraffic RuleCounters::totals() const {
  model::RuleTraffic sum;
  sum.rule = id_;
  for (unsigned i = 0; i < count_; ++i) {
    const TrafficShard& shard = shards_[i];
    sum.bytes_in += shard.bytes_in.get();
    sum.bytes_out += shard.bytes_out.get();
    sum.datagrams_in += shard.datagrams_in.get();
    sum.datagrams_out += shard.datagrams_out.get();
    sum.active_connections += shard.active_connections.get();
    sum.active_flows += shard.active_flows.get();
    sum.dns_failures += shard.dns_failures.get();
    sum.flows_dropped_overflow += shard.flows_dropped_overflow.get();
    sum.sni_exact += shard.sni_exact.get();
    sum.sni_wildcard += shard.sni_wildcard.get();
    sum.sni_fallback += shard.sni_fallback.get();
  }
  if (port_count_ > 1) sum_ports(sum);
  if (target_count_ > 1) sum_targets(sum);
  return sum;
}

void RuleCounters::sum_ports(model::RuleTraffic& sum) const {
  sum.ports.resize(port_count_);
  for (std::uint32_t p = 0; p < port_count_; ++p) {
    model::PortTraffic& port = sum.ports[p];
    port.listen_port = static_cast<std::uint16_t>(first_port_ + p);
    for (unsigned i = 0; i < count_; ++i) {
      const PortSlot& slot = shards_[i].ports[p];
      port.bytes_in += slot.bytes_in.get();
      port.bytes_out += slot.bytes_out.get();
      port.datagrams_in += slot.datagrams_in.get();
      port.datagrams_out += slot.datagrams_out.get();
      port.active_connections += slot.active_connections.get();
    }
  }
}

void RuleCounters::sum_targets(model::RuleTraffic& sum) const {
  sum.targets.resize(target_count_);
  for (std::size_t row = 0; row < target_count_; ++row) {
    model::TargetTraffic& target = sum.targets[row];
    target.index = static_cast<std::uint32_t>(row);
    for (unsigned i = 0; i < count_; ++i) {
      const TargetSlot& slot = shards_[i].targets[row];
      target.bytes_in += slot.bytes_in.get();
      target.bytes_out += slot.bytes_out.get();
      target.connections += slot.connections.get();
    }
  }
}

model::LocalTraffic RuleCounters::local() const {
  model::LocalTraffic sum;
  sum.rule = id_;
  for (unsigned i = 0; i < count_; ++i) {
    const TrafficShard& shard = shards_[i];
    sum.connections_total += shard.connections_total.get();
    sum.flows_pending_drops += shard.flows_pending_drops.get();
    sum.bandwidth_dropped_in += shard.bandwidth_dropped_in.get();
    sum.bandwidth_dropped_out += shard.bandwidth_dropped_out.get();
    sum.send_dropped += shard.send_dropped.get();
    sum.icmp_evict += shard.icmp_evict.get();
    sum.emsgsize += shard.emsgsize.get();
    sum.wouldblock += shard.wouldblock.get();
    sum.addflow_dropped += shard.addflow_dropped.get();
    sum.upstream_connect_failed += shard.upstream_connect_failed.get();
  }
  return sum;
}

}  // namespace portunus::dataplane::stats
