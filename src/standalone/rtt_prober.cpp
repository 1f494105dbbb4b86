#include "standalone/rtt_prober.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

#include "common/net/unique_fd.hpp"

namespace portunus::standalone {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPeriod(2);
constexpr std::chrono::seconds kTimeout(1);

struct Attempt {
  const RttProber::Target* target;
  net::UniqueFd fd;
  Clock::time_point begun;
};

/// A connect under way, or an invalid descriptor when there is nobody to connect to.
net::UniqueFd begin_connect(const RttProber::Target& target, RttProber::LookUp look_up) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(target.port);
  if (look_up(target.host.c_str(), port.c_str(), &hints, &found) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  net::UniqueFd fd(::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return {};
  if (::connect(fd.get(), found->ai_addr, found->ai_addrlen) != 0 && errno != EINPROGRESS)
    return {};
  return fd;
}

Rtt finished(const Attempt& attempt) {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(attempt.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return {Rtt::State::down, 0};
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - attempt.begun);
  return {Rtt::State::ok, static_cast<std::uint32_t>(took.count())};
}

/// Waits for all attempts together, at most the timeout.
std::vector<RttProber::Result> await(std::vector<Attempt> attempts) {
  std::vector<RttProber::Result> out;
  const auto deadline = Clock::now() + kTimeout;
  while (!attempts.empty()) {
    std::vector<pollfd> wanted;
    for (const Attempt& attempt : attempts) wanted.push_back({attempt.fd.get(), POLLOUT, 0});
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    const int ready =
        ::poll(wanted.data(), wanted.size(), static_cast<int>(std::max<long>(0, left.count())));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) break;
    for (std::size_t i = wanted.size(); i-- > 0;) {
      if (wanted[i].revents == 0) continue;
      out.push_back({attempts[i].target->rule_id, finished(attempts[i])});
      attempts.erase(attempts.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  for (const Attempt& attempt : attempts) {
    out.push_back({attempt.target->rule_id, {Rtt::State::timeout, 0}});
  }
  return out;
}

std::vector<RttProber::Result> probe(const std::vector<RttProber::Target>& targets,
                                     RttProber::LookUp look_up) {
  std::vector<RttProber::Result> out;
  std::vector<Attempt> attempts;
  for (const RttProber::Target& target : targets) {
    const auto begun = Clock::now();
    net::UniqueFd fd = begin_connect(target, look_up);
    if (fd) {
      attempts.push_back({&target, std::move(fd), begun});
    } else {
      out.push_back({target.rule_id, {Rtt::State::down, 0}});
    }
  }
  std::ranges::move(await(std::move(attempts)), std::back_inserter(out));
  return out;
}

}  // namespace

/// Of the prober and its thread, whichever is there longer.
struct RttProber::Shared {
  const std::vector<Target> targets;
  const LookUp look_up;
  std::mutex mutex = {};
  std::condition_variable wake = {};
  bool stopped = false;
  std::vector<Result> results = {};
};

RttProber::RttProber(std::vector<Target> targets, LookUp look_up)
    : shared_(std::make_shared<Shared>(std::move(targets), look_up)) {
  std::thread([shared = shared_] { run(shared); }).detach();
}

RttProber::~RttProber() {
  const std::lock_guard lock(shared_->mutex);
  shared_->stopped = true;
  shared_->wake.notify_all();
}

void RttProber::run(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  while (!shared->stopped) {
    lock.unlock();
    const auto next = Clock::now() + kPeriod;
    std::vector<Result> results = probe(shared->targets, shared->look_up);
    lock.lock();
    std::ranges::move(results, std::back_inserter(shared->results));
    shared->wake.wait_until(lock, next, [&shared] { return shared->stopped; });
  }
}

std::vector<RttProber::Result> RttProber::take() {
  const std::lock_guard lock(shared_->mutex);
  return std::exchange(shared_->results, {});
}

}  // namespace portunus::standalone
