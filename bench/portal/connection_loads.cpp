#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "loads.hpp"
#include "portal/relay/byte_stream.hpp"
#include "service.hpp"

namespace portunus::bench {
namespace {

using Clock = std::chrono::steady_clock;
using portal::relay::ByteStream;
using Transport = portal::client::Transport;

/// First use of code, certificates, threads: not what a connection costs.
constexpr std::chrono::milliseconds kWarmUp{400};
/// More at once would measure queues.
constexpr std::uint32_t kHoldAtOnce = 16;

/// One connection that has carried a byte there and back.
struct Proven {
  std::unique_ptr<Transport> own;  ///< of QUIC, where a connection is a transport
  std::unique_ptr<ByteStream> stream;
};

async::Task<Proven> prove(Worker& worker, Way way) {
  Proven proven;
  Transport* transport = &worker.transport();
  if (way.carrier == Carrier::portal_quic) {
    proven.own = make_transport(way.carrier, way.to, worker.context(), worker.resolver());
    transport = proven.own.get();
    transport->start();
  }
  auto opened = co_await transport->open_tcp(way.target);
  if (!opened) give_up(opened.error());
  proven.stream = std::move(*opened);
  const std::array<std::byte, 2> bytes{std::byte{kEcho}, std::byte{'x'}};
  const Result<> sent = co_await proven.stream->write_all(bytes);
  if (!sent) give_up(sent.error());
  std::array<std::byte, 1> back;
  const Result<std::size_t> got = co_await proven.stream->read_some(back);
  if (!got) give_up(got.error());
  if (*got == 0) give_up(Error(std::make_error_code(std::errc::connection_reset), "ended"));
  co_return proven;
}

/// A QUIC connection lingers for a while after its close; that is no part of making one.
async::Task<> let_go(std::unique_ptr<Transport> transport) {
  co_await transport->drain(std::chrono::seconds(5));
}

async::Task<> dial_on(Worker& worker, Way way, std::atomic<std::uint64_t>& count) {
  while (true) {
    Proven proven = co_await prove(worker, way);
    count.fetch_add(1, std::memory_order_relaxed);
    proven.stream->abort();
    proven.stream.reset();
    if (proven.own) worker.spawn(let_go(std::move(proven.own)));
  }
}

async::Task<> hold_share(Worker& worker, Way way, std::uint32_t share, std::vector<Proven>& held,
                         std::atomic<std::uint32_t>& count) {
  for (std::uint32_t i = 0; i < share; ++i) {
    Proven proven = co_await prove(worker, way);
    held.push_back(std::move(proven));
    count.fetch_add(1);
  }
}

template <class Done>
void wait_until(Done done, std::uint32_t seconds, const char* otherwise) {
  const auto patience = Clock::now() + std::chrono::seconds(seconds);
  while (!done()) {
    if (Clock::now() > patience) {
      give_up(Error(std::make_error_code(std::errc::timed_out), otherwise));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace

void dials(const Way& way, std::uint32_t at_once, std::uint32_t seconds) {
  Worker worker(way);
  std::atomic<std::uint64_t> count{0};
  for (std::uint32_t i = 0; i < at_once; ++i) worker.spawn(dial_on(worker, way, count));
  worker.run();
  // The time begins when as many have been made as are made at once.
  wait_until([&] { return count.load() >= at_once; }, 10, "no connection stands");
  std::this_thread::sleep_for(kWarmUp);
  const std::uint64_t before = count.load();
  const auto began = Clock::now();
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  const std::uint64_t done = count.load() - before;
  const double took = std::chrono::duration<double>(Clock::now() - began).count();
  std::printf("{\"connections\": %llu, \"seconds\": %.6f}\n", static_cast<unsigned long long>(done),
              took);
  std::fflush(stdout);
  std::_Exit(0);
}

void hold(const Way& way, std::uint32_t count, std::uint32_t max_seconds) {
  Worker worker(way);
  std::vector<Proven> held;
  held.reserve(count);
  std::atomic<std::uint32_t> standing{0};
  const std::uint32_t lanes = std::min(kHoldAtOnce, count);
  for (std::uint32_t i = 0; i < lanes; ++i) {
    const std::uint32_t share = count / lanes + (i < count % lanes ? 1 : 0);
    worker.spawn(hold_share(worker, way, share, held, standing));
  }
  worker.run();
  wait_until([&] { return standing.load() >= count; }, max_seconds, "not all connections stand");
  std::printf("held %u\n", count);
  std::fflush(stdout);
  pollfd input{STDIN_FILENO, POLLIN, 0};
  ::poll(&input, 1, static_cast<int>(max_seconds) * 1000);
  std::_Exit(0);  // the kernel closes the connections
}

}  // namespace portunus::bench
