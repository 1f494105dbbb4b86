#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace portunus::portal::relay {

/// What a CHECK_POINT reports (portal 4).
struct CounterTotals {
  std::int64_t pool = 0;
  std::int64_t tcps = 0;
  std::int64_t udps = 0;
  std::uint64_t tcp_rx = 0;
  std::uint64_t tcp_tx = 0;
  std::uint64_t udp_rx = 0;
  std::uint64_t udp_tx = 0;
};

/// One core's share: written by that core's thread alone with plain loads and stores, read by
/// whoever reports.
struct alignas(64) CoreCounters {
  /// A number with one writer.
  template <class T>
  class Cell {
   public:
    void add(T n) { value_.store(get() + n, std::memory_order_relaxed); }
    T get() const { return value_.load(std::memory_order_relaxed); }

   private:
    std::atomic<T> value_{0};
  };
  using Gauge = Cell<std::int64_t>;
  using Sum = Cell<std::uint64_t>;

  Gauge pool;
  Gauge tcps;
  Gauge udps;
  Sum tcp_rx;
  Sum tcp_tx;
  Sum udp_rx;
  Sum udp_tx;
};

/// One unit of a gauge for as long as the object lives; on the gauge's thread.
class Counted {
 public:
  Counted() = default;
  explicit Counted(CoreCounters::Gauge& gauge) : gauge_(&gauge) { gauge.add(1); }
  Counted(Counted&& other) noexcept : gauge_(other.gauge_) { other.gauge_ = nullptr; }
  Counted& operator=(Counted&& other) noexcept {
    if (this != &other) {
      release();
      gauge_ = other.gauge_;
      other.gauge_ = nullptr;
    }
    return *this;
  }
  ~Counted() { release(); }
  void release() {
    if (gauge_ != nullptr) gauge_->add(-1);
    gauge_ = nullptr;
  }

 private:
  CoreCounters::Gauge* gauge_ = nullptr;
};

/// The counters of the process, a shard per core. Owned by the Portal; never reset.
class Counters {
 public:
  explicit Counters(unsigned cores) : cores_(cores) {}
  CoreCounters& core(unsigned index) { return cores_[index]; }
  CounterTotals totals() const;

 private:
  std::vector<CoreCounters> cores_;
};

}  // namespace portunus::portal::relay
