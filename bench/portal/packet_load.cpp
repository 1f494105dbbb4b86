#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "loads.hpp"

namespace portunus::bench {
namespace {

using Clock = std::chrono::steady_clock;
namespace client = portal::client;

/// Of each flow on their way at once.
constexpr int kWindow = 32;
constexpr std::chrono::milliseconds kWarmUp{400};
/// Without an answer for so long what was on its way is lost, and sent anew.
constexpr std::chrono::milliseconds kLost{100};

class Flow final : public client::UdpReceiver {
 public:
  explicit Flow(std::uint32_t size) : payload_(size, 'x') {}

  async::Task<> run(Worker& worker, std::string target) {
    auto opened = co_await worker.transport().open_udp(std::move(target), *this);
    if (!opened) give_up(opened.error());
    flow_ = std::move(*opened);
    boost::asio::steady_timer tick(worker.context());
    std::uint64_t seen = ~std::uint64_t{0};
    while (true) {
      if (const std::uint64_t now = echoed.load(); now == seen || seen == ~std::uint64_t{0}) {
        for (int i = 0; i < kWindow; ++i) flow_->send(payload_);
        flow_->flush();
        seen = now;
      } else {
        seen = now;
      }
      tick.expires_after(kLost);
      co_await tick.async_wait(async::kTuple);
    }
  }
  void on_packet(std::span<const std::uint8_t>) override {
    echoed.fetch_add(1, std::memory_order_relaxed);
    flow_->send(payload_);
    flow_->flush();
  }
  void on_closed(const Error& why) override { give_up(why); }

  alignas(64) std::atomic<std::uint64_t> echoed{0};

 private:
  const std::vector<std::uint8_t> payload_;
  std::unique_ptr<client::UdpFlow> flow_;
};

std::uint64_t total(const std::deque<Flow>& flows) {
  std::uint64_t sum = 0;
  for (const Flow& flow : flows) sum += flow.echoed.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace

void packets(const Way& way, std::uint32_t size, std::uint32_t flows, std::uint32_t seconds) {
  Worker worker(way);
  std::deque<Flow> all;
  for (std::uint32_t i = 0; i < flows; ++i) {
    worker.spawn(all.emplace_back(size).run(worker, way.target));
  }
  worker.run();
  const auto patience = Clock::now() + std::chrono::seconds(10);
  while (total(all) == 0) {
    if (Clock::now() > patience) {
      give_up(Error(std::make_error_code(std::errc::timed_out), "nothing comes back"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_for(kWarmUp);
  const std::uint64_t before = total(all);
  const auto began = Clock::now();
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  const std::uint64_t echoed = total(all) - before;
  const double took = std::chrono::duration<double>(Clock::now() - began).count();
  std::printf("{\"packets\": %llu, \"seconds\": %.6f}\n", static_cast<unsigned long long>(echoed),
              took);
  std::fflush(stdout);
  std::_Exit(0);
}

}  // namespace portunus::bench
