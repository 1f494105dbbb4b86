#include "dataplane/reactor/deadlines.hpp"

namespace portunus::dataplane::reactor {

Deadlines::Deadlines(boost::asio::io_context& context, Poller& poller,
                     std::chrono::steady_clock::duration budget)
    : poller_(poller), timer_(context), budget_(budget) {}

void Deadlines::arm(Deadline& what) {
  what.due_ = std::chrono::steady_clock::now() + budget_;
  queue_.push_back(what);
  if (!waiting_) wait(what.due_);
}

void Deadlines::stop() {
  timer_.cancel();
}

void Deadlines::wait(SteadyTime until) {
  waiting_ = true;
  timer_.expires_at(until);
  timer_.async_wait([this](const boost::system::error_code& ec) {
    if (!ec) expire();
  });
}

void Deadlines::expire() {
  const Poller::Entry entry(poller_);
  const SteadyTime now = std::chrono::steady_clock::now();
  // Still waiting as far as arm() is concerned: what is armed again here is seen below.
  while (!queue_.empty() && queue_.front().due_ <= now) {
    Deadline& what = queue_.front();
    queue_.pop_front();
    what.on_deadline();
  }
  waiting_ = false;
  if (!queue_.empty()) wait(queue_.front().due_);
}

}  // namespace portunus::dataplane::reactor
