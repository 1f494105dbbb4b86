// What one small message costs the thread that relays it: an echo over the poller against the same
// echo over Asio's own reactor. A second thread plays the peers. Prints the CPU time of the echoing
// thread per message, which a busy machine disturbs less than the time that passes.
//
//   dataplane_reactor_bench [connections] [milliseconds] [rounds]

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "common/net/unique_fd.hpp"
#include "dataplane/reactor/poller.hpp"

namespace {

namespace asio = boost::asio;
namespace reactor = portunus::dataplane::reactor;
using portunus::net::UniqueFd;

constexpr std::size_t kMessage = 64;

struct Link {
  UniqueFd peer;
  UniqueFd echo;
};

std::vector<Link> connect_pairs(int count) {
  asio::io_context context;
  asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  std::vector<Link> links;
  for (int i = 0; i < count; ++i) {
    asio::ip::tcp::socket a(context);
    a.connect(acceptor.local_endpoint());
    asio::ip::tcp::socket b = acceptor.accept();
    for (auto* s : {&a, &b}) {
      s->set_option(asio::ip::tcp::no_delay(true));
      s->non_blocking(true);
      s->native_non_blocking(true);
    }
    links.push_back({UniqueFd(a.release()), UniqueFd(b.release())});
  }
  return links;
}

void echo_once(int fd) {
  std::array<char, kMessage> buffer;
  const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (n > 0) (void)::send(fd, buffer.data(), static_cast<std::size_t>(n), MSG_NOSIGNAL);
}

class PollerEcho final : public reactor::Pollable {
 public:
  PollerEcho(reactor::Poller& poller, int fd) : fd_(fd) {
    if (!poller.watch(fd, *this, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)) std::abort();
  }
  void on_ready(std::uint32_t events) override {
    if (events & EPOLLIN) echo_once(fd_);
  }

 private:
  int fd_;
};

class WaitEcho {
 public:
  WaitEcho(asio::io_context& context, int fd) : socket_(context, asio::ip::tcp::v4(), fd) {
    next();
  }
  void next() {
    socket_.async_wait(asio::ip::tcp::socket::wait_read, [this](auto ec) {
      if (ec) return;
      echo_once(socket_.native_handle());
      next();
    });
  }
  ~WaitEcho() { socket_.release(); }

 private:
  asio::ip::tcp::socket socket_;
};

class ReadEcho {
 public:
  ReadEcho(asio::io_context& context, int fd) : socket_(context, asio::ip::tcp::v4(), fd) {
    next();
  }
  void next() {
    socket_.async_read_some(asio::buffer(buffer_), [this](auto ec, std::size_t n) {
      if (ec) return;
      (void)::send(socket_.native_handle(), buffer_.data(), n, MSG_NOSIGNAL);
      next();
    });
  }
  ~ReadEcho() { socket_.release(); }

 private:
  asio::ip::tcp::socket socket_;
  std::array<char, kMessage> buffer_{};
};

double thread_cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

/// Sends on every link, and again whenever its echo is back, until `stop`.
void play_peers(const std::vector<Link>& links, const std::atomic<bool>& stop,
                std::atomic<std::uint64_t>& messages) {
  UniqueFd ep(::epoll_create1(EPOLL_CLOEXEC));
  const std::array<char, kMessage> text{};
  for (const Link& link : links) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = link.peer.get();
    ::epoll_ctl(ep.get(), EPOLL_CTL_ADD, link.peer.get(), &event);
    (void)::send(link.peer.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }
  std::array<epoll_event, 64> events;
  while (!stop) {
    const int n = ::epoll_wait(ep.get(), events.data(), 64, 10);
    for (int i = 0; i < n; ++i) {
      std::array<char, kMessage> buffer;
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (::recv(fd, buffer.data(), buffer.size(), 0) <= 0) continue;
      (void)::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      messages.fetch_add(1, std::memory_order_relaxed);
    }
  }
}

using Echoes = std::shared_ptr<void>;
using Setup = std::function<Echoes(asio::io_context&, const std::vector<Link>&)>;

struct Contender {
  const char* name;
  Setup setup;
  std::vector<double> micros;
};

/// CPU microseconds of the echoing thread per message.
double measure(int connections, std::chrono::milliseconds time, const Setup& setup) {
  const auto links = connect_pairs(connections);
  asio::io_context context(1);
  double cpu = 0;
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> messages = 0;
  std::thread echo([&] {
    auto work = asio::make_work_guard(context);
    const Echoes keep = setup(context, links);
    const double before = thread_cpu_seconds();
    context.run();
    cpu = thread_cpu_seconds() - before;
  });
  std::thread peers([&] { play_peers(links, stop, messages); });
  std::this_thread::sleep_for(time);
  stop = true;
  peers.join();
  context.stop();
  echo.join();
  return cpu / static_cast<double>(messages.load()) * 1e6;
}

struct PollerSet {
  std::unique_ptr<reactor::Poller> poller;
  std::vector<std::unique_ptr<PollerEcho>> echoes;
};

Setup poller_setup(unsigned rounds) {
  return [rounds](asio::io_context& context, const std::vector<Link>& links) {
    auto set = std::make_shared<PollerSet>();
    set->poller = std::make_unique<reactor::Poller>(context, rounds);
    if (!set->poller->start()) std::abort();
    for (const Link& l : links) {
      set->echoes.push_back(std::make_unique<PollerEcho>(*set->poller, l.echo.get()));
    }
    return set;
  };
}

template <class Echo>
Setup asio_setup() {
  return [](asio::io_context& context, const std::vector<Link>& links) {
    auto echoes = std::make_shared<std::vector<std::unique_ptr<Echo>>>();
    for (const Link& l : links) echoes->push_back(std::make_unique<Echo>(context, l.echo.get()));
    return echoes;
  };
}

}  // namespace

int main(int argc, char** argv) {
  const int connections = argc > 1 ? std::atoi(argv[1]) : 64;
  const std::chrono::milliseconds time(argc > 2 ? std::atoi(argv[2]) : 300);
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 9;
  if (connections < 1 || time.count() < 1 || rounds < 1) return 2;
  std::vector<Contender> contenders = {
      {"asio async_read_some", asio_setup<ReadEcho>(), {}},
      {"asio async_wait", asio_setup<WaitEcho>(), {}},
      {"poller, 1 round", poller_setup(1), {}},
      {"poller, 32 rounds", poller_setup(32), {}},
  };
  for (int i = 0; i < rounds; ++i) {
    for (Contender& c : contenders) c.micros.push_back(measure(connections, time, c.setup));
  }
  std::printf("%d connections, median of %d rounds\n", connections, rounds);
  for (Contender& c : contenders) {
    std::ranges::sort(c.micros);
    std::printf("%-22s %7.3f us CPU per message\n", c.name, c.micros[c.micros.size() / 2]);
  }
}
