#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <memory>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "server/audit/audit_page.hpp"
#include "server/store/audit_store.hpp"
#include "server/store/store.hpp"

namespace portunus::server::audit {

/// Entries that may wait for the writer, and that one transaction holds (store-and-quotas 5).
inline constexpr std::size_t kQueueCapacity = 1024;
inline constexpr std::size_t kBatchSize = 256;
/// How long the writer collects. An entry is on disk within 100 ms; the commit has the other half.
inline constexpr std::chrono::milliseconds kCollectFor{50};
/// How long a busy store is asked again before a batch is given up, and how often.
inline constexpr std::chrono::seconds kRetryFor{5};
inline constexpr std::chrono::milliseconds kRetryEvery{100};

/// The audit log: takes entries from any thread and writes them with one writer, a coroutine of the
/// domain executor. Whoever records never waits, and no failure of the store reaches him: entries
/// that the queue has no room for, or that the store refuses for good, are lost, logged and
/// counted. Owned by the composition root, which stops it after everyone who records.
class AuditLog {
 public:
  AuditLog(boost::asio::any_io_executor executor, store::Store& store, const Clock& clock);
  ~AuditLog();

  /// Starts the writer; from here on the log must be drained before it goes.
  void start();

  /// Hands the entry over under the present time. Any thread; after request_stop() it is lost.
  void record(store::AuditRow row);

  /// One page (http-api 12). audit::Errc, or a store error.
  async::Task<Result<Page>> page(PageQuery query);

  /// Takes no more entries. Idempotent.
  void request_stop();
  /// Waits until everything that was handed over is written, or given up as ever; false when that
  /// took longer than `grace`.
  async::Task<bool> drain(std::chrono::steady_clock::duration grace);

  /// Entries lost so far. Any thread.
  std::uint64_t drops() const;
  /// The age of the oldest entry that is not committed; 0 when there is none. Domain executor.
  std::chrono::steady_clock::duration lag() const;

 private:
  class Impl;
  // Shared with the wake-ups that are posted to the executor and may outlive the log.
  std::shared_ptr<Impl> impl_;
};

}  // namespace portunus::server::audit
