// What one draw on a token bucket and on a quota costs when 1, 2, 4 threads do nothing else: the
// upper bound of what cores can do to each other there, since a connection moves up to 64 KiB
// between two draws. No arguments; prints nanoseconds per draw and thread.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <vector>

#include "dataplane/limits/limiter.hpp"
#include "dataplane/quota/quota_gate.hpp"

namespace {

using namespace portunus;
using Steady = std::chrono::steady_clock;

constexpr std::uint64_t kDraws = 2'000'000;

template <class Draw>
double nanoseconds_per_draw(unsigned threads, Draw draw) {
  std::atomic<unsigned> ready{0};
  std::vector<std::jthread> all;
  const auto begin = Steady::now();
  for (unsigned i = 0; i < threads; ++i) {
    all.emplace_back([&] {
      ++ready;
      while (ready < threads) {
      }
      for (std::uint64_t n = 0; n < kDraws; ++n) draw();
    });
  }
  all.clear();
  return std::chrono::duration<double, std::nano>(Steady::now() - begin).count() / kDraws;
}

}  // namespace

int main() {
  std::printf("%8s %14s %14s %14s %16s\n", "threads", "no cap", "bucket", "quota",
              "unmetered quota");
  for (const unsigned threads : {1U, 2U, 4U}) {
    dataplane::limits::Limiter none, limiter;
    limiter.apply(model::RateLimit{.bandwidth_in_bps = std::uint64_t{1} << 50}, Steady::now());
    dataplane::quota::QuotaGate quota, unmetered;
    quota.set(std::uint64_t{1} << 62, false);
    const auto in = dataplane::limits::Direction::in;
    std::printf("%8u %14.1f %14.1f %14.1f %16.1f\n", threads,
                nanoseconds_per_draw(threads, [&] { none.take(in, 65'536, Steady::now()); }),
                nanoseconds_per_draw(threads, [&] { limiter.take(in, 65'536, Steady::now()); }),
                nanoseconds_per_draw(threads, [&] { quota.take(65'536); }),
                nanoseconds_per_draw(threads, [&] { unmetered.take(65'536); }));
  }
  return 0;
}
