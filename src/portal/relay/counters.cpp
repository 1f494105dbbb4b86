#include "portal/relay/counters.hpp"

namespace portunus::portal::relay {

CounterTotals Counters::totals() const {
  CounterTotals sum;
  for (const CoreCounters& core : cores_) {
    sum.pool += core.pool.get();
    sum.tcps += core.tcps.get();
    sum.udps += core.udps.get();
    sum.tcp_rx += core.tcp_rx.get();
    sum.tcp_tx += core.tcp_tx.get();
    sum.udp_rx += core.udp_rx.get();
    sum.udp_tx += core.udp_tx.get();
  }
  return sum;
}

}  // namespace portunus::portal::relay
