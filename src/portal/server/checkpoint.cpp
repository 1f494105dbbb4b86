#include "portal/server/checkpoint.hpp"

#include <fmt/format.h>

#include "common/base/deadline.hpp"

namespace portunus::portal::server {

std::string checkpoint_text(const relay::CounterTotals& totals) {
  return fmt::format(
      "CHECK_POINT|MODE=0|PING=0ms|POOL={}|TCPS={}|UDPS={}|TCPRX={}|TCPTX={}|UDPRX={}|UDPTX={}",
      totals.pool, totals.tcps, totals.udps, totals.tcp_rx, totals.tcp_tx, totals.udp_rx,
      totals.udp_tx);
}

Checkpoint::Checkpoint(boost::asio::io_context& context, const relay::Counters& counters,
                       log::Log& log, std::chrono::nanoseconds interval)
    : timer_(context), counters_(counters), log_(log), interval_(interval) {}

void Checkpoint::start() {
  emit();
  wait();
}

void Checkpoint::stop() {
  stopped_ = true;
  timer_.cancel();
}

void Checkpoint::emit() {
  if (log_.shown(log::Level::event)) {
    log_.write(log::Level::event, checkpoint_text(counters_.totals()));
  }
}

void Checkpoint::wait() {
  timer_.expires_at(deadline_after(std::chrono::steady_clock::now(), interval_));
  timer_.async_wait([this](const boost::system::error_code& ec) {
    if (ec || stopped_) return;
    emit();
    wait();
  });
}

}  // namespace portunus::portal::server
