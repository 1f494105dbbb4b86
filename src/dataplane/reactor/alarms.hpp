#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/set.hpp>

#include "common/base/clock.hpp"
#include "dataplane/reactor/poller.hpp"

namespace portunus::dataplane::reactor {

using AlarmHook =
    boost::intrusive::set_base_hook<boost::intrusive::tag<struct AlarmTag>,
                                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// Something that happens once at an instant of its own. Is cancelled when destroyed.
class Alarm : public AlarmHook {
 public:
  virtual void on_alarm() = 0;
  void cancel() { AlarmHook::unlink(); }
  bool pending() const { return AlarmHook::is_linked(); }

 protected:
  ~Alarm() = default;

 private:
  friend class Alarms;
  SteadyTime due_{};
};

/// Alarms at any instants, for what is seldom or shared by many: ordered by time, with one timer
/// for the earliest. Where everybody has the same budget, Deadlines are cheaper. One worker's
/// thread; stop() before the io_context is to run out of work.
class Alarms {
 public:
  Alarms(boost::asio::io_context& context, Poller& poller) : poller_(poller), timer_(context) {}

  /// on_alarm() follows at `due`, and no longer at an instant set before.
  void set(Alarm& what, SteadyTime due);
  void stop();

 private:
  struct Earlier {
    bool operator()(const Alarm& a, const Alarm& b) const { return a.due_ < b.due_; }
  };
  using Queue = boost::intrusive::multiset<Alarm, boost::intrusive::base_hook<AlarmHook>,
                                           boost::intrusive::constant_time_size<false>,
                                           boost::intrusive::compare<Earlier>>;
  void wait(SteadyTime until);
  void ring();

  Poller& poller_;
  boost::asio::steady_timer timer_;
  Queue queue_;
  /// What the timer is set to; the end of time when it is not.
  SteadyTime waiting_until_ = SteadyTime::max();
  bool stopped_ = false;
};

}  // namespace portunus::dataplane::reactor
