#include "dataplane/tcp/worker.hpp"

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>
#include <vector>

namespace portunus::dataplane::tcp {
namespace {

// data-plane section 1.
constexpr std::chrono::seconds kDialBudget(3);
constexpr std::chrono::seconds kPeekBudget(3);
constexpr std::chrono::seconds kHeaderBudget(10);
/// QUO-5 allows a second from the exhaustion on, the way to all cores included.
constexpr std::chrono::milliseconds kCutBudget(700);

}  // namespace

Worker::Worker(boost::asio::io_context& io, reactor::Poller& poll, unsigned number,
               PipeBudget& budget, dns::Resolver& names)
    : context(io),
      poller(poll),
      index(number),
      resolver(names),
      pipes(budget),
      scratch(new std::byte[kBufferSize]),
      tools{{scratch.get(), kBufferSize}, pipes, buffers},
      dial_deadlines(io, poller, kDialBudget),
      header_deadlines(io, poller, kHeaderBudget),
      peek_deadlines(io, poller, kPeekBudget),
      cut_deadlines(io, poller, kCutBudget),
      alarms(io, poller),
      sni(*this) {}

void Worker::stop() {
  const reactor::Poller::Entry entry(poller);
  sni.stop();
  for (auto& [rule, slice] : slices_) {
    slice->close_listeners();
    slice->cancel_sessions();
  }
  dial_deadlines.stop();
  header_deadlines.stop();
  peek_deadlines.stop();
  cut_deadlines.stop();
  alarms.stop();
}

std::optional<std::uint16_t> Worker::add(std::shared_ptr<TcpRule> rule,
                                         std::vector<ListenPair> sockets,
                                         rules::CoreReports reports) {
  const reactor::Poller::Entry entry(poller);
  const rules::LiveRule* key = &rule->live();
  auto slice = std::make_shared<RuleSlice>(*this, std::move(rule), std::move(reports));
  const auto refused = slice->listen(std::move(sockets));
  slices_.emplace(key, std::move(slice));
  if (refused) close_listeners(*key);
  return refused;
}

void Worker::close_listeners(const rules::LiveRule& rule) {
  const reactor::Poller::Entry entry(poller);
  const auto it = slices_.find(&rule);
  if (it != slices_.end()) it->second->close_listeners();
}

void Worker::cancel_sessions(const rules::LiveRule& rule) {
  const reactor::Poller::Entry entry(poller);
  const auto it = slices_.find(&rule);
  if (it != slices_.end()) it->second->cancel_sessions();
}

void Worker::cut_off(const owners::OwnerScope& owner) {
  const reactor::Poller::Entry entry(poller);
  for (auto& [rule, slice] : slices_) {
    if (rule->owner() == &owner) slice->cut_off_sessions();
  }
}

std::shared_ptr<TokenLanes> Worker::owner_lanes(rules::LiveRule& rule) {
  if (rule.owner() == nullptr) return nullptr;
  std::erase_if(owner_lanes_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<TokenLanes>& known = owner_lanes_[rule.owner()];
  std::shared_ptr<TokenLanes> lanes = known.lock();
  if (!lanes) known = lanes = std::make_shared<TokenLanes>(*rule.owner_limiter(), alarms);
  return lanes;
}

std::shared_ptr<RuleSlice> Worker::find(const rules::LiveRule& rule) const {
  const auto it = slices_.find(&rule);
  return it == slices_.end() ? nullptr : it->second;
}

void Worker::drop(RuleSlice& slice) {
  // Later, because the batch at hand may still have events for the slice's listeners.
  boost::asio::post(context, [this, rule = &slice.rule().live()] {
    const auto it = slices_.find(rule);
    if (it == slices_.end()) return;
    const auto gone = std::move(it->second);
    slices_.erase(it);
    gone->reports().on_gone();
  });
}

}  // namespace portunus::dataplane::tcp
