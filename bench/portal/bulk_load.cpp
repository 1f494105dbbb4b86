#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "loads.hpp"
#include "portal/relay/byte_stream.hpp"
#include "service.hpp"

namespace portunus::bench {
namespace {

using Clock = std::chrono::steady_clock;
using portal::relay::ByteStream;

constexpr std::size_t kChunk = 256 * 1024;
/// Slow start, first use of code: not steady state.
constexpr std::chrono::milliseconds kWarmUp{400};

/// Bytes that have arrived, as their receiver says. On a line of its own.
struct alignas(64) Arrived {
  std::atomic<std::uint64_t> bytes{0};
};

async::Task<> read_download(std::shared_ptr<ByteStream> stream, Arrived& arrived) {
  std::vector<std::byte> buffer(kChunk);
  while (true) {
    const Result<std::size_t> got = co_await stream->read_some(buffer);
    if (!got) give_up(got.error());
    if (*got == 0) give_up(Error(std::make_error_code(std::errc::connection_reset), "ended"));
    arrived.bytes.fetch_add(*got, std::memory_order_relaxed);
  }
}

async::Task<> read_progress(std::shared_ptr<ByteStream> stream, Arrived& arrived) {
  while (true) {
    std::uint64_t total = 0;
    const auto into = std::as_writable_bytes(std::span(&total, 1));
    const Result<std::size_t> got = co_await portal::relay::read_full(*stream, into);
    if (!got) give_up(got.error());
    if (*got != sizeof total) {
      give_up(Error(std::make_error_code(std::errc::connection_reset), "ended"));
    }
    arrived.bytes.store(total, std::memory_order_relaxed);
  }
}

async::Task<> write_upload(std::shared_ptr<ByteStream> stream) {
  const std::vector<std::byte> buffer(kChunk);
  while (true) {
    if (const Result<> sent = co_await stream->write_all(buffer); !sent) give_up(sent.error());
  }
}

async::Task<> flow(Worker& worker, std::string target, bool upload, Arrived& arrived) {
  auto opened = co_await worker.transport().open_tcp(std::move(target));
  if (!opened) give_up(opened.error());
  std::shared_ptr<ByteStream> stream = std::move(*opened);
  const std::byte kind{static_cast<unsigned char>(upload ? kUpload : kDownload)};
  const Result<> asked = co_await stream->write_all(std::span(&kind, 1));
  if (!asked) give_up(asked.error());
  if (upload) worker.spawn(write_upload(stream));
  worker.spawn(upload ? read_progress(stream, arrived) : read_download(stream, arrived));
}

std::uint64_t total(const std::deque<Arrived>& flows) {
  std::uint64_t sum = 0;
  for (const Arrived& flow : flows) sum += flow.bytes.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace

void bulk(const Way& way, bool upload, std::uint32_t flows, std::uint32_t seconds) {
  const std::uint32_t threads = std::min(flows, std::max(1U, std::thread::hardware_concurrency()));
  std::deque<Arrived> arrived(flows);
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::uint32_t i = 0; i < threads; ++i) workers.push_back(std::make_unique<Worker>(way));
  for (std::uint32_t i = 0; i < flows; ++i) {
    Worker& worker = *workers[i % threads];
    worker.spawn(flow(worker, way.target, upload, arrived[i]));
  }
  for (const auto& worker : workers) worker->run();
  const auto patience = Clock::now() + std::chrono::seconds(10);
  while (std::ranges::any_of(arrived, [](const Arrived& f) { return f.bytes.load() == 0; })) {
    if (Clock::now() > patience) {
      give_up(Error(std::make_error_code(std::errc::timed_out), "a flow carries nothing"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_for(kWarmUp);
  const std::uint64_t before = total(arrived);
  const auto began = Clock::now();
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  const std::uint64_t bytes = total(arrived) - before;
  const double took = std::chrono::duration<double>(Clock::now() - began).count();
  // `total` is what the relay's CPU time was spent on, the warm-up included.
  std::printf("{\"bytes\": %llu, \"seconds\": %.6f, \"total\": %llu}\n",
              static_cast<unsigned long long>(bytes), took,
              static_cast<unsigned long long>(before + bytes));
  std::fflush(stdout);
  std::_Exit(0);
}

}  // namespace portunus::bench
