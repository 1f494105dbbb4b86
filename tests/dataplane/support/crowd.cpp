#include "tests/dataplane/support/crowd.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace portunus::test {

Crowd::Crowd(std::uint16_t port, Acceptor& target, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    Pair& pair = pairs_.emplace_back();
    pair.down.socket = Socket::connect_v4(port);
    pair.up.socket = target.accept();
  }
}

bool Crowd::pump(Senders senders, const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::vector<pollfd> polls(2 * pairs_.size());
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    for (std::size_t i = 0; i < polls.size(); ++i) {
      const End& end = i % 2 == 0 ? pairs_[i / 2].down : pairs_[i / 2].up;
      const bool sends = end.sends && (i % 2 == 0 ? senders.down : senders.up);
      const bool over = end.ended || end.broken;
      const int events = (over ? 0 : POLLIN) | (sends && !end.broken ? POLLOUT : 0);
      polls[i] = {.fd = events == 0 ? -1 : end.socket.fd(),
                  .events = static_cast<short>(events),
                  .revents = 0};
    }
    ::poll(polls.data(), polls.size(), 2);
    for (std::size_t i = 0; i < polls.size(); ++i) {
      Pair& pair = pairs_[i / 2];
      if (i % 2 == 0) {
        serve(pair.down, polls[i].revents, senders.down, received_out_);
      } else {
        serve(pair.up, polls[i].revents, senders.up, received_in_);
      }
    }
  }
  return true;
}

void Crowd::serve(End& end, short events, bool sends, std::uint64_t& received) {
  if (events & (POLLIN | POLLHUP | POLLERR) && !end.ended) {
    const ssize_t n = ::recv(end.socket.fd(), space_.data(), space_.size(), MSG_DONTWAIT);
    if (n > 0) received += static_cast<std::uint64_t>(n);
    if (n == 0) end.ended = true;
    if (n < 0 && errno != EAGAIN) end.broken = true;
  }
  // Who sends to an end that has finished earns a reset, which says nothing of the data before.
  if (sends && end.sends && !end.ended && (events & POLLOUT)) {
    end.socket.send_what_fits(block_);
  }
  if (end.ended && end.sends) {
    end.sends = false;
    end.socket.half_close();
  }
}

std::size_t Crowd::count(End Pair::* end, bool broken) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      pairs_, [&](const Pair& pair) { return broken ? (pair.*end).broken : (pair.*end).ended; }));
}

}  // namespace portunus::test
