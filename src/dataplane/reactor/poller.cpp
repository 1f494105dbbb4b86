#include "dataplane/reactor/poller.hpp"

#include <sys/epoll.h>

#include <boost/asio/post.hpp>
#include <cerrno>

namespace portunus::dataplane::reactor {
namespace {

constexpr int kBatch = 128;

}  // namespace

Poller::Poller(boost::asio::io_context& context, unsigned rounds)
    : context_(context), epoll_(context), rounds_(rounds) {}

Result<> Poller::start() {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) return fail_errno(errno, "epoll_create1");
  epoll_.assign(fd);
  wait_outside();
  return {};
}

void Poller::stop() {
  boost::system::error_code ignored;
  epoll_.close(ignored);
}

bool Poller::control(int operation, int fd, Pollable& who, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &who;
  return ::epoll_ctl(epoll_.native_handle(), operation, fd, &event) == 0;
}

bool Poller::watch(int fd, Pollable& who, std::uint32_t events) {
  return control(EPOLL_CTL_ADD, fd, who, events);
}

bool Poller::rewatch(int fd, Pollable& who, std::uint32_t events) {
  return control(EPOLL_CTL_MOD, fd, who, events);
}

void Poller::unwatch(int fd) {
  epoll_event unused{};
  ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, fd, &unused);
}

void Poller::run_next_round(Deferred& what) {
  next_round_.push_back(what);
  if (!turning_) turn_soon();
}

void Poller::run_after_batch(Deferred& what) {
  what.unlink();
  after_batch_.push_back(what);
}

void Poller::wait_outside() {
  if (waiting_outside_) return;
  waiting_outside_ = true;
  epoll_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                    [this](const boost::system::error_code& ec) {
                      waiting_outside_ = false;
                      // Stopped while this stood in the queue, it must not wait anew.
                      if (!ec && epoll_.is_open()) turn();
                    });
}

void Poller::turn_soon() {
  if (turn_posted_) return;
  turn_posted_ = true;
  boost::asio::post(context_, [this] {
    turn_posted_ = false;
    if (epoll_.is_open()) turn();
  });
}

void Poller::turn() {
  turning_ = true;
  bool quiet = false;
  for (unsigned i = 0; i < rounds_ && !quiet; ++i) quiet = !play_round();
  turning_ = false;
  if (quiet) {
    wait_outside();
  } else {
    turn_soon();
  }
}

bool Poller::play_round() {
  epoll_event events[kBatch];
  ++round_;
  const int count = ::epoll_wait(epoll_.native_handle(), events, kBatch, 0);
  if (count <= 0 && next_round_.empty()) return false;
  Queue due;
  due.swap(next_round_);
  for (int i = 0; i < count; ++i)
    static_cast<Pollable*>(events[i].data.ptr)->on_ready(events[i].events);
  while (!due.empty()) {
    Deferred& what = due.front();
    due.pop_front();
    what.run_deferred();
  }
  finish_batch();
  return true;
}

void Poller::finish_batch() {
  while (!after_batch_.empty()) {
    Deferred& what = after_batch_.front();
    after_batch_.pop_front();
    what.run_deferred();
  }
}

}  // namespace portunus::dataplane::reactor
