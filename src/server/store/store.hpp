#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "common/async/executor_hop.hpp"
#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "server/store/errc.hpp"

namespace portunus::server::store {

/// One SQLite connection with its prepared statements. Opaque outside this folder: the functions
/// of the entity stores (client_store, rule_store, …) take it.
class Connection;

/// Whether the transaction that a function of Store was given still stands. After an error of a
/// statement it may not: SQLite itself rolls back when the disk is full or fails. A function that
/// goes on all the same would write outside of any transaction.
bool transaction_stands(const Connection& connection);

struct StoreOptions {
  std::filesystem::path path;  ///< <data-dir>/state.db
  /// Reader threads wanted. Writer and readers together are at most min(CPU count, 8)
  /// connections; where that leaves no reader, the writer's thread serves the reads too.
  unsigned readers = 2;
  std::chrono::milliseconds busy_timeout{5000};
};

/// The server's only persistent state: one writer thread and a few reader threads, each with its
/// own connection (store-and-quotas 2). Every call runs a function of one transaction; when the
/// function returns an error, nothing of it is kept. Thread-safe. Owned by the composition root or
/// a command; closed last.
class Store {
 public:
  /// Opens, checks and migrates, then starts the threads. Takes no lock: see StoreLock. Logs
  /// store.opened and store.ready, or the startup.* event of the refusal. The details of
  /// Errc::schema_too_new read "on_disk=<n> binary_supports=<m>".
  static Result<std::unique_ptr<Store>> open(StoreOptions options);
  ~Store();

  /// Runs `fn` (Connection& -> Result<T>) in a write transaction on the writer thread and resumes
  /// on the caller's executor. Returns after the commit. Transactions are made in the order of the
  /// calls, and their callers resume in that order. Errc::closed after close().
  template <class F>
  auto write(F fn) -> async::Task<std::invoke_result_t<F&, Connection&>> {
    if (closed()) co_return fail(Errc::closed);
    auto work = [this, fn = std::move(fn)]() mutable { return write_here(fn); };
    co_return co_await async::run_on(writer_executor(), std::move(work));
  }
  /// As write(), on a reader thread with a snapshot of its own; `fn` must not change anything.
  template <class F>
  auto read(F fn) -> async::Task<std::invoke_result_t<F&, Connection&>> {
    if (closed()) co_return fail(Errc::closed);
    auto work = [this, fn = std::move(fn)]() mutable { return read_here(fn); };
    co_return co_await async::run_on(reader_executor(), std::move(work));
  }
  /// A write that nobody waits for and that may be lost: queued behind the others, errors dropped.
  void write_later(std::function<Result<>(Connection&)> fn);

  /// The same without an event loop: for start-up and offline commands. Blocks; not to be called
  /// from inside a transaction.
  template <class F>
  auto write_now(F fn) -> std::invoke_result_t<F&, Connection&>;
  template <class F>
  auto read_now(F fn) -> std::invoke_result_t<F&, Connection&>;

  /// Ends the threads after what is queued and makes a truncating checkpoint. Idempotent. Called by
  /// the owner when nobody else can call any more.
  void close();
  bool closed() const;

  int schema_version() const;
  static int supported_schema_version();
  /// SQLITE_BUSY answers seen so far (portunus_store_busy_total).
  std::uint64_t busy_total() const;

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);

  using Body = std::function<Result<>(Connection&)>;
  boost::asio::any_io_executor writer_executor();
  boost::asio::any_io_executor reader_executor();
  Result<> in_write_transaction(const Body& body, bool on_writer_thread);
  Result<> in_read_transaction(const Body& body, bool on_reader_thread);
  Result<> in_transaction(boost::asio::any_io_executor executor, const Body& body, bool writing,
                          bool on_own_thread);

  template <class F>
  auto transact(F& fn, bool writing, bool on_own_thread) -> std::invoke_result_t<F&, Connection&> {
    using R = std::invoke_result_t<F&, Connection&>;
    R result = std::unexpected<Error>(Error(std::error_code{}));
    const Body body = [&](Connection& connection) -> Result<> {
      result = fn(connection);
      if (!result) return fail(result.error());
      return {};
    };
    const Result<> done = writing ? in_write_transaction(body, on_own_thread)
                                  : in_read_transaction(body, on_own_thread);
    if (!done) return std::unexpected<Error>(done.error());
    return result;
  }
  template <class F>
  auto write_here(F& fn) {
    return transact(fn, true, true);
  }
  template <class F>
  auto read_here(F& fn) {
    return transact(fn, false, true);
  }

  std::unique_ptr<Impl> impl_;
};

template <class F>
auto Store::write_now(F fn) -> std::invoke_result_t<F&, Connection&> {
  return transact(fn, true, false);
}

template <class F>
auto Store::read_now(F fn) -> std::invoke_result_t<F&, Connection&> {
  return transact(fn, false, false);
}

/// The exclusive flock on <data-dir>/state.db.lock, held for the owner's lifetime. A crash
/// releases it; the file's existence means nothing.
class StoreLock {
 public:
  /// Errc::in_use when another process (or another StoreLock of this one) holds it, with the path
  /// of the database as detail. Logs nothing: for a dual command a held lock is no fault.
  static Result<StoreLock> acquire(const std::filesystem::path& data_dir);
  StoreLock(StoreLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  StoreLock& operator=(StoreLock&&) = delete;
  ~StoreLock();

 private:
  explicit StoreLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace portunus::server::store
