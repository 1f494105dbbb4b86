#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>

#include "common/base/clock.hpp"
#include "dataplane/reactor/poller.hpp"

namespace portunus::dataplane::reactor {

using DeadlineHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct DeadlineTag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// Something that must happen within the queue's budget. Leaves the queue when destroyed.
class Deadline : public DeadlineHook {
 public:
  virtual void on_deadline() = 0;
  void disarm() { DeadlineHook::unlink(); }

 protected:
  ~Deadline() = default;

 private:
  friend class Deadlines;
  SteadyTime due_{};
};

/// One time budget for many: since all have the same, the oldest expires first, and a single timer
/// that is set at most once per budget serves them. One worker's thread; stop() before the
/// io_context is to run out of work.
class Deadlines {
 public:
  Deadlines(boost::asio::io_context& context, Poller& poller,
            std::chrono::steady_clock::duration budget);

  /// on_deadline() follows one budget from now, unless disarmed.
  void arm(Deadline& what);
  void stop();

 private:
  using Queue = boost::intrusive::list<Deadline, boost::intrusive::base_hook<DeadlineHook>,
                                       boost::intrusive::constant_time_size<false>>;
  void wait(SteadyTime until);
  void expire();

  Poller& poller_;
  boost::asio::steady_timer timer_;
  const std::chrono::steady_clock::duration budget_;
  Queue queue_;
  bool waiting_ = false;
};

}  // namespace portunus::dataplane::reactor
