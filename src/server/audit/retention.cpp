#include "server/audit/retention.hpp"

#include <utility>

#include "common/log/logger.hpp"
#include "server/store/audit_store.hpp"

namespace portunus::server::audit {
namespace {

/// Rows of one transaction, so that a long sweep keeps no other write waiting.
constexpr std::int64_t kRowsPerWrite = 1000;

}  // namespace

Retention::Retention(boost::asio::any_io_executor executor, store::Store& store, const Clock& clock)
    : store_(store), clock_(clock), tick_(executor), gate_(executor) {}

void Retention::start(std::chrono::steady_clock::duration interval) {
  gate_.spawn(sweep_for_ever(interval));
}

void Retention::request_stop() {
  stopping_ = true;
  gate_.close();
  tick_.cancel();
}

async::Task<bool> Retention::drain(std::chrono::steady_clock::duration grace) {
  return gate_.drain(grace);
}

async::Task<> Retention::sweep_for_ever(std::chrono::steady_clock::duration interval) {
  while (!stopping_) {
    co_await sweep();
    if (stopping_) co_return;
    tick_.expires_after(interval);
    co_await tick_.async_wait(async::kTuple);
  }
}

async::Task<Result<Retention::Swept>> Retention::remove_all() {
  Swept swept;
  const SystemTime oldest = clock_.now() - kKeptFor;
  while (!stopping_) {
    auto remove = [oldest](store::Connection& connection) {
      return store::remove_audit_before(connection, oldest, kRowsPerWrite);
    };
    const Result<std::int64_t> removed = co_await store_.write(std::move(remove));
    if (!removed) co_return fail(removed.error());
    swept.by_age += *removed;
    if (*removed < kRowsPerWrite) break;
  }
  while (!stopping_) {
    auto remove = [](store::Connection& connection) {
      return store::remove_audit_beyond(connection, kKeptRows, kRowsPerWrite);
    };
    const Result<std::int64_t> removed = co_await store_.write(std::move(remove));
    if (!removed) co_return fail(removed.error());
    swept.by_count += *removed;
    if (*removed < kRowsPerWrite) break;
  }
  co_return swept;
}

async::Task<> Retention::sweep() {
  const Result<Swept> swept = co_await remove_all();
  if (!swept) {
    log::log(log::Event::audit_retention_failed, {{"error", swept.error().text()}});
  } else if (swept->by_age > 0 || swept->by_count > 0) {
    log::log(log::Event::audit_retention_sweep,
             {{"deleted_by_age", swept->by_age}, {"deleted_by_count", swept->by_count}});
  }
}

}  // namespace portunus::server::audit
