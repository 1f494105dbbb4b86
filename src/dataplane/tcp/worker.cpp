#include "dataplane/tcp/worker.hpp"

#include <pthread.h>
#include <signal.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>
#include <vector>

namespace portunus::dataplane::tcp {
namespace {

/// data-plane section 1.
constexpr std::chrono::seconds kDialBudget(3);

/// A send has MSG_NOSIGNAL, a splice has nothing like it.
void block_pipe_signal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

Worker::Worker(boost::asio::io_context& io, unsigned number, PipeBudget& budget)
    : context(io),
      index(number),
      poller(io),
      pipes(budget),
      scratch(new std::byte[kBufferSize]),
      tools{{scratch.get(), kBufferSize}, pipes, buffers},
      dial_deadlines(io, poller, kDialBudget) {}

Result<> Worker::start() {
  boost::asio::post(context, block_pipe_signal);
  return poller.start();
}

void Worker::stop() {
  const reactor::Poller::Entry entry(poller);
  for (auto& [rule, slice] : slices_) {
    slice->close_listeners();
    slice->cancel_sessions();
  }
  dial_deadlines.stop();
  poller.stop();
}

bool Worker::add(std::shared_ptr<TcpRule> rule, ListenPair sockets, std::function<void()> on_gone) {
  const reactor::Poller::Entry entry(poller);
  const TcpRule* key = rule.get();
  auto slice = std::make_unique<RuleSlice>(*this, std::move(rule), std::move(on_gone));
  const bool listening = slice->listen(std::move(sockets));
  slices_.emplace(key, std::move(slice));
  if (!listening) close_listeners(*key);
  return listening;
}

void Worker::close_listeners(const TcpRule& rule) {
  const reactor::Poller::Entry entry(poller);
  const auto it = slices_.find(&rule);
  if (it != slices_.end()) it->second->close_listeners();
}

void Worker::cancel_sessions(const TcpRule& rule) {
  const reactor::Poller::Entry entry(poller);
  const auto it = slices_.find(&rule);
  if (it != slices_.end()) it->second->cancel_sessions();
}

void Worker::drop(RuleSlice& slice) {
  // Later, because the batch at hand may still have events for the slice's listeners.
  boost::asio::post(context, [this, rule = &slice.rule()] {
    const auto it = slices_.find(rule);
    if (it == slices_.end()) return;
    const auto gone = std::move(it->second);
    slices_.erase(it);
    gone->on_gone()();
  });
}

}  // namespace portunus::dataplane::tcp
