#include "server/audit/audit_log.hpp"

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "common/async/gate.hpp"
#include "common/async/within.hpp"
#include "common/log/limiter.hpp"
#include "common/log/logger.hpp"
#include "server/audit/hand_off.hpp"

namespace portunus::server::audit {

/// The parts any thread touches are the queue and the counters; all else is the executor's.
class AuditLog::Impl {
 public:
  Impl(boost::asio::any_io_executor executor, store::Store& store, const Clock& clock)
      : executor_(executor), store_(store), clock_(clock), wake_(executor), writing_(executor) {}

  /// True when the writer has to be woken.
  bool record(store::AuditRow row);
  void wake() { wake_.cancel(); }
  async::Task<> write_for_ever();
  void request_stop();

  boost::asio::any_io_executor executor_;
  store::Store& store_;
  const Clock& clock_;
  HandOff queue_{kQueueCapacity, kBatchSize};
  std::atomic<std::uint64_t> drops_{0};
  boost::asio::steady_timer wake_;
  async::Gate writing_;
  /// Of the oldest entry of the batch that is being written.
  std::optional<SteadyTime> in_flight_since_;
  bool stopping_ = false;

 private:
  using Rows = std::shared_ptr<const std::vector<store::AuditRow>>;

  void log_lost(HandOff::Put why);
  async::Task<> wait_for_batch();
  async::Task<> wait_until(std::chrono::steady_clock::time_point then);
  async::Task<> write(Rows rows);

  log::SharedLimiter overflows_;
  std::atomic<bool> told_closed_{false};
};

bool AuditLog::Impl::record(store::AuditRow row) {
  row.at = clock_.now();
  const HandOff::Put put = queue_.put({std::move(row), clock_.steady_now()});
  switch (put) {
    case HandOff::Put::waiting:
      return false;
    case HandOff::Put::wake:
      return true;
    case HandOff::Put::full:
    case HandOff::Put::closed:
      drops_.fetch_add(1, std::memory_order_relaxed);
      log_lost(put);
      return false;
  }
  return false;
}

void AuditLog::Impl::log_lost(HandOff::Put why) {
  if (why == HandOff::Put::closed) {
    // Once: what comes this late comes from a fault of ours, and says nothing by its number.
    if (!told_closed_.exchange(true)) log::log(log::Event::audit_writer_closed);
    return;
  }
  const auto suppressed = overflows_.admit(clock_.steady_now());
  if (!suppressed) return;
  std::vector<log::Field> fields = {{"capacity", kQueueCapacity}};
  if (*suppressed > 0) fields.push_back({"suppressed", *suppressed});
  log::log_fields(log::Level::warn, log::Event::audit_handoff_overflow, fields);
}

async::Task<> AuditLog::Impl::wait_until(std::chrono::steady_clock::time_point then) {
  wake_.expires_at(then);
  co_await wake_.async_wait(async::kTuple);
}

/// Until a batch is whole, its first entry has waited long enough, or the end has come.
async::Task<> AuditLog::Impl::wait_for_batch() {
  while (!stopping_ && queue_.size() == 0) {
    co_await wait_until(std::chrono::steady_clock::time_point::max());
  }
  const auto due = std::chrono::steady_clock::now() + kCollectFor;
  while (!stopping_ && queue_.size() < kBatchSize && std::chrono::steady_clock::now() < due) {
    co_await wait_until(due);
  }
}

async::Task<> AuditLog::Impl::write_for_ever() {
  while (true) {
    co_await wait_for_batch();
    std::vector<Handed> batch = queue_.take();
    if (batch.empty()) break;  // only at the end
    in_flight_since_ = batch.front().at;
    auto rows = std::make_shared<std::vector<store::AuditRow>>();
    for (Handed& entry : batch) rows->push_back(std::move(entry.row));
    co_await write(std::move(rows));
    in_flight_since_.reset();
  }
  log::log(log::Event::audit_writer_drained);
}

/// Commits the batch, or gives it up.
async::Task<> AuditLog::Impl::write(Rows rows) {
  const SteadyTime began = clock_.steady_now();
  while (true) {
    auto insert = [rows](store::Connection& connection) {
      return store::insert_audit(connection, *rows);
    };
    const Result<> done = co_await store_.write(std::move(insert));
    if (done) co_return;
    const bool transient = done.error() == store::Errc::busy;
    if (!transient || clock_.steady_now() - began >= kRetryFor) {
      drops_.fetch_add(rows->size(), std::memory_order_relaxed);
      log::log(log::Event::audit_flush_failed,
               {{"error", done.error().text()}, {"batch_size", rows->size()}});
      co_return;
    }
    co_await async::sleep_for(kRetryEvery);
  }
}

void AuditLog::Impl::request_stop() {
  if (stopping_) return;
  stopping_ = true;
  queue_.close();
  writing_.close();
  log::log(log::Event::audit_writer_channel_closed);
  wake();
}

AuditLog::AuditLog(boost::asio::any_io_executor executor, store::Store& store, const Clock& clock)
    : impl_(std::make_shared<Impl>(std::move(executor), store, clock)) {}

AuditLog::~AuditLog() = default;

void AuditLog::start() {
  impl_->writing_.spawn(impl_->write_for_ever());
}

void AuditLog::record(store::AuditRow row) {
  if (!impl_->record(std::move(row))) return;
  boost::asio::post(impl_->executor_, [impl = impl_] { impl->wake(); });
}

async::Task<Result<Page>> AuditLog::page(PageQuery query) {
  return read_page(impl_->store_, std::move(query));
}

void AuditLog::request_stop() {
  impl_->request_stop();
}

async::Task<bool> AuditLog::drain(std::chrono::steady_clock::duration grace) {
  return impl_->writing_.drain(grace);
}

std::uint64_t AuditLog::drops() const {
  return impl_->drops_.load(std::memory_order_relaxed);
}

std::chrono::steady_clock::duration AuditLog::lag() const {
  const auto since = impl_->in_flight_since_ ? impl_->in_flight_since_ : impl_->queue_.oldest();
  if (!since) return std::chrono::steady_clock::duration::zero();
  return impl_->clock_.steady_now() - *since;
}

}  // namespace portunus::server::audit
