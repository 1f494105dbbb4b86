#include "server/traffic/rollup.hpp"

#include <utility>

#include "common/log/logger.hpp"
#include "server/store/traffic_rollup_store.hpp"

namespace portunus::server::traffic {
namespace {

constexpr std::chrono::seconds kRetry{60};
/// Deleted by one transaction, so that an expiry after a long downtime keeps no write waiting.
constexpr std::size_t kRowsPerWrite = 5'000;

}  // namespace

void Rollup::start(std::chrono::steady_clock::duration interval) {
  gate_.spawn(run(interval));
}

void Rollup::request_stop() {
  stopping_ = true;
  timer_.cancel();
  gate_.close();
}

async::Task<bool> Rollup::drain(std::chrono::steady_clock::duration grace) {
  return gate_.drain(grace);
}

async::Task<> Rollup::run(std::chrono::steady_clock::duration interval) {
  co_await tick(true);
  while (!stopping_) {
    timer_.expires_after(interval);
    const auto [ec] = co_await timer_.async_wait(async::kTuple);
    if (ec || stopping_) co_return;
    if (due()) co_await tick(false);
  }
}

std::int64_t Rollup::current_hour() const {
  return hour_of(to_unix_seconds(clock_.now()) - kLag);
}

bool Rollup::due() const {
  if (failed_at_ && clock_.steady_now() - *failed_at_ < kRetry) return false;
  return ticked_ != current_hour();
}

async::Task<> Rollup::tick() {
  return tick(false);
}

async::Task<> Rollup::tick(bool at_start) {
  const std::int64_t hour = current_hour();
  const Result<Done> done = co_await work();
  if (!done) {
    failed_at_ = clock_.steady_now();
    log::log(log::Event::traffic_rollup_tick_failed, {{"error", done.error().text()}});
    co_return;
  }
  failed_at_.reset();
  ticked_ = hour;
  if (at_start && !done->worth_a_line()) co_return;
  log::log(log::Event::traffic_rollup_tick, {{"rolled_up", done->rolled_up},
                                             {"deleted_1m", done->deleted_1m},
                                             {"deleted_1h", done->deleted_1h}});
}

async::Task<Result<Rollup::Done>> Rollup::work() {
  const std::int64_t now = to_unix_seconds(clock_.now());
  auto look = [](store::Connection& connection) { return store::rollup_mark(connection); };
  const Result<std::int64_t> mark = co_await store_.read(look);
  if (!mark) co_return fail(mark.error());
  const Result<std::size_t> rolled_up = co_await roll_up(*mark, current_hour());
  if (!rolled_up) co_return fail(rolled_up.error());
  const Result<std::size_t> minutes =
      co_await expire(Bucket::minute, now - retention(Bucket::minute));
  if (!minutes) co_return fail(minutes.error());
  const Result<std::size_t> hours = co_await expire(Bucket::hour, now - retention(Bucket::hour));
  if (!hours) co_return fail(hours.error());
  const Done done{*rolled_up, *minutes, *hours, *mark == 0};
  if (done.deleted_1m + done.deleted_1h > 0 && !stopping_) {
    auto change = [](store::Connection& connection) {
      return store::remove_empty_series(connection);
    };
    const Result<> removed = co_await store_.write(change);
    if (!removed) co_return fail(removed.error());
  }
  co_return done;
}

async::Task<Result<std::size_t>> Rollup::roll_up(std::int64_t mark, std::int64_t until) {
  std::size_t rolled_up = 0;
  std::int64_t hour = mark == 0 ? until - kHour : mark + kHour;
  while (hour < until && rolled_up < kMostHours && !stopping_) {
    auto change = [hour](store::Connection& connection) {
      return store::roll_up_hour(connection, hour);
    };
    const Result<> done = co_await store_.write(change);
    if (!done) co_return fail(done.error());
    ++rolled_up;
    hour += kHour;
  }
  co_return rolled_up;
}

async::Task<Result<std::size_t>> Rollup::expire(Bucket bucket, std::int64_t before) {
  std::size_t deleted = 0;
  while (!stopping_) {
    auto change = [bucket, before](store::Connection& connection) {
      return bucket == Bucket::minute ? store::expire_minutes(connection, before, kRowsPerWrite)
                                      : store::expire_hours(connection, before, kRowsPerWrite);
    };
    const Result<std::size_t> some = co_await store_.write(change);
    if (!some) co_return fail(some.error());
    deleted += *some;
    if (*some < kRowsPerWrite) break;
  }
  co_return deleted;
}

}  // namespace portunus::server::traffic
