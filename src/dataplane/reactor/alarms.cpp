#include "dataplane/reactor/alarms.hpp"

#include <chrono>

namespace portunus::dataplane::reactor {

void Alarms::set(Alarm& what, SteadyTime due) {
  what.cancel();
  what.due_ = due;
  queue_.insert(what);
  // A timer that goes off too early, for a cancelled alarm, is cheaper than setting it again.
  if (due < waiting_until_) wait(due);
}

void Alarms::stop() {
  stopped_ = true;
  timer_.cancel();
}

void Alarms::wait(SteadyTime until) {
  if (stopped_) return;
  waiting_until_ = until;
  timer_.expires_at(until);
  timer_.async_wait([this](const boost::system::error_code& ec) {
    if (!ec) ring();
  });
}

void Alarms::ring() {
  const Poller::Entry entry(poller_);
  // Also keeps set() from touching the timer while the loop runs: who asks for less than that is
  // found by the last line.
  waiting_until_ = SteadyTime::min();
  const SteadyTime now = std::chrono::steady_clock::now();
  while (!queue_.empty() && queue_.begin()->due_ <= now) {
    Alarm& what = *queue_.begin();
    what.cancel();
    what.on_alarm();
  }
  waiting_until_ = SteadyTime::max();
  if (!queue_.empty()) wait(queue_.begin()->due_);
}

}  // namespace portunus::dataplane::reactor
