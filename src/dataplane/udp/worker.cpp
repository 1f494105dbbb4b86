#include "dataplane/udp/worker.hpp"

#include <boost/asio/post.hpp>
#include <chrono>
#include <random>
#include <utility>

namespace portunus::dataplane::udp {
namespace {

std::uint64_t random_word() {
  std::random_device source;
  return static_cast<std::uint64_t>(source()) << 32 | source();
}

}  // namespace

Worker::Worker(boost::asio::io_context& io, reactor::Poller& the_poller, unsigned number,
               Options options)
    : context(io),
      poller(the_poller),
      index(number),
      offload(options.offload),
      from_sources(arena, true),
      from_upstream(arena, false),
      pump(options.send),
      table(random_word()),
      opener(*this, std::move(options.resolve)),
      inbound(*this) {}

void Worker::stop() {
  const reactor::Poller::Entry entry(poller);
  for (auto& [rule, slice] : slices_) retire(std::move(slice));
  slices_.clear();
}

std::optional<std::uint16_t> Worker::add(std::shared_ptr<UdpRule> rule,
                                         std::vector<BoundPort> ports, rules::CoreReports reports) {
  const rules::LiveRule* const key = &rule->live();
  auto slice = std::make_unique<RuleSlice>(*this, std::move(rule), std::move(reports));
  const auto refused = slice->listen(std::move(ports));
  if (refused) slice->close();
  slices_.emplace(key, std::move(slice));
  return refused;
}

void Worker::remove(const rules::LiveRule& rule) {
  const auto it = slices_.find(&rule);
  if (it == slices_.end()) return;
  const reactor::Poller::Entry entry(poller);
  const std::function<void()> on_gone = it->second->reports().on_gone;
  retire(std::move(it->second));
  slices_.erase(it);
  on_gone();
}

void Worker::retire(std::unique_ptr<RuleSlice> slice) {
  slice->close();
  boost::asio::post(context, [gone = std::move(slice)] {});
}

void Worker::cut(const owners::OwnerScope& owner) {
  const reactor::Poller::Entry entry(poller);
  for (const auto& [rule, slice] : slices_) {
    if (rule->owner() == &owner) slice->end_flows();
  }
}

SteadyTime Worker::now() {
  if (now_round_ != poller.round()) {
    now_round_ = poller.round();
    now_ = std::chrono::steady_clock::now();
  }
  return now_;
}

}  // namespace portunus::dataplane::udp
