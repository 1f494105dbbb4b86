#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/intrusive/list.hpp>
#include <cstdint>

#include "common/base/result.hpp"

namespace portunus::dataplane::reactor {

/// Something with a descriptor in the poller. Spurious calls are possible and must be harmless.
class Pollable {
 public:
  /// `events` is epoll's mask. Runs on the poller's thread.
  virtual void on_ready(std::uint32_t events) = 0;

 protected:
  ~Pollable() = default;
};

/// Something that asks the poller to be run later. Leaves every queue when destroyed.
class Deferred : public boost::intrusive::list_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual void run_deferred() = 0;

 protected:
  ~Deferred() = default;
};

/// One worker's epoll instance, nested in that worker's io_context.
///
/// Asio's own reactor re-arms a descriptor with epoll_ctl for every async_wait, and tries a read
/// that usually finds nothing for every async_read_some. Here a descriptor is registered once, and
/// only the outer wait, once per burst of activity, goes through Asio: per message remain the
/// calls that move it. It looks again after each round, while there is something to do, and never
/// waits here: the timer that a short wait needs costs more than coming back through Asio does.
///
/// Lives on the io_context's thread. Events of one batch may concern an object that an earlier
/// one of the batch closed: such an object must stay in memory, and ignore them, until
/// run_after_batch() calls it.
class Poller {
 public:
  /// After `rounds` in a row other work of the io_context has its turn; the default is measured
  /// (bench/dataplane).
  explicit Poller(boost::asio::io_context& context, unsigned rounds = 32);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// Creates the epoll instance and begins to wait.
  Result<> start();
  /// Ends the waiting, so that the io_context can run out of work. Idempotent.
  void stop();

  /// `events` in epoll's terms, EPOLLET included where wanted. False with errno on failure.
  [[nodiscard]] bool watch(int fd, Pollable& who, std::uint32_t events);
  /// Other `events` of a descriptor that is watched, by `who`; what is ready at the time is
  /// reported anew. Unlike watch() it needs no memory of the kernel, so a false is a mistake of
  /// ours.
  [[nodiscard]] bool rewatch(int fd, Pollable& who, std::uint32_t events);
  /// Only needed where closing does not remove the descriptor: when it has duplicates.
  void unwatch(int fd);

  /// In the next round: for work that exceeded its share of this one.
  void run_next_round(Deferred& what);
  /// After the events at hand: for the release of what they may still point to.
  void run_after_batch(Deferred& what);

  /// Number of the round at hand; grows by one with every look at the epoll.
  std::uint64_t round() const { return round_; }

  /// Encloses work on pollable objects that a timer or a post began.
  class Entry {
   public:
    explicit Entry(Poller& poller) : poller_(poller) {}
    ~Entry() { poller_.finish_batch(); }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    Poller& poller_;
  };

 private:
  bool control(int operation, int fd, Pollable& who, std::uint32_t events);
  using Queue = boost::intrusive::list<Deferred, boost::intrusive::constant_time_size<false>>;

  void wait_outside();
  /// Rounds until nothing happens, or until others must have a turn.
  void turn();
  void turn_soon();
  /// False when nothing happened.
  bool play_round();
  void finish_batch();

  boost::asio::io_context& context_;
  boost::asio::posix::stream_descriptor epoll_;
  const unsigned rounds_;
  Queue next_round_;
  Queue after_batch_;
  std::uint64_t round_ = 0;
  bool turning_ = false;
  bool turn_posted_ = false;
  bool waiting_outside_ = false;
};

}  // namespace portunus::dataplane::reactor
