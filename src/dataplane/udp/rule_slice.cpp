#include "dataplane/udp/rule_slice.hpp"

#include <utility>

#include "dataplane/udp/worker.hpp"

namespace portunus::dataplane::udp {
namespace {

/// Flows looked over in a row before others have their turn.
constexpr unsigned kSweepStep = 256;

}  // namespace

RuleSlice::RuleSlice(Worker& worker, std::shared_ptr<UdpRule> rule, rules::CoreReports reports)
    : worker_(worker),
      rule_(std::move(rule)),
      shard_(rule_->live().counters().shard(worker.index)),
      reports_(std::move(reports)),
      addresses_(rule_->spec().targets.size()),
      sweep_timer_(worker.context) {}

std::optional<std::uint16_t> RuleSlice::listen(std::vector<BoundPort> ports) {
  for (BoundPort& bound : ports) {
    listeners_.emplace_back(*this, worker_.context, std::move(bound));
    if (!listeners_.back().start()) return listeners_.back().port();
  }
  return std::nullopt;
}

void RuleSlice::close() {
  closed_ = true;
  for (Listener& listener : listeners_) listener.close();
  sweep_timer_.cancel();
  Deferred::unlink();
  end_flows();
}

void RuleSlice::end_flows() {
  while (!flows_.empty()) flows_.front().end();
}

void RuleSlice::adopt(Flow& flow) {
  flows_.push_back(flow);
  ++flow_count_;
  ++building_;
  if (!sweep_scheduled_) schedule_sweep();
}

std::shared_ptr<const dns::Addresses> RuleSlice::known(std::size_t row, SteadyTime now) const {
  const auto& addresses = addresses_[row];
  return addresses && now < addresses->fresh_until ? addresses : nullptr;
}

void RuleSlice::learn(std::size_t row, std::shared_ptr<const dns::Addresses> addresses) {
  addresses_[row] = std::move(addresses);
}

void RuleSlice::schedule_sweep() {
  sweep_scheduled_ = true;
  sweep_timer_.expires_after(sweep_period(rule_->idle_window()));
  sweep_timer_.async_wait([this](const boost::system::error_code& ec) {
    if (!ec && !closed_) begin_sweep();
  });
}

void RuleSlice::begin_sweep() {
  sweep_left_ = flow_count_;
  if (!Deferred::is_linked()) worker_.poller.run_next_round(*this);
}

void RuleSlice::sweep() {
  const SteadyTime moment = worker_.now() - rule_->idle_window();
  for (unsigned i = 0; i < kSweepStep && sweep_left_ > 0 && !flows_.empty(); ++i, --sweep_left_) {
    Flow& flow = flows_.front();
    flows_.pop_front();
    flows_.push_back(flow);
    if (flow.idle_since(moment)) flow.end_idle();
  }
  if (sweep_left_ > 0 && !flows_.empty()) return worker_.poller.run_next_round(*this);
  sweep_scheduled_ = false;
  if (!flows_.empty()) schedule_sweep();
}

}  // namespace portunus::dataplane::udp
