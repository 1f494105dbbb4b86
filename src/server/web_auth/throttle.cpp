#include "server/web_auth/throttle.hpp"

#include <string>

#include "server/store/login_attempt_store.hpp"
#include "server/web_auth/errc.hpp"
#include "server/web_auth/lock_rule.hpp"

namespace portunus::server::web_auth {
namespace {

/// With one attempt at a time, a line of this length takes a few seconds.
constexpr unsigned kMaxWaiting = 64;

std::unexpected<Error> limited(std::chrono::seconds left) {
  return fail({Errc::rate_limited, std::to_string(left.count())});
}

}  // namespace

async::Task<Result<Throttle::Turn>> Throttle::enter(store::AttemptKey key) {
  const bool entered = co_await wait_in_line(key);
  if (!entered) co_return limited(std::chrono::seconds(1));
  Turn turn(this, key);
  const SystemTime now = clock_.now();
  auto look = [key](store::Connection& connection) {
    return store::find_attempts(connection, key);
  };
  const auto attempts = co_await store_.read(std::move(look));
  if (!attempts) co_return fail(attempts.error());
  if (*attempts) {
    if (const auto left = lock_left(**attempts, now)) co_return limited(*left);
  }
  co_return std::move(turn);
}

async::Task<Result<>> Throttle::count_failure(store::AttemptKey key) {
  const SystemTime now = clock_.now();
  auto count = [key = std::move(key), now](store::Connection& connection) -> Result<> {
    const auto before = store::find_attempts(connection, key);
    if (!before) return fail(before.error());
    const auto kept = store::put_attempts(connection, key, after_failure(*before, now));
    if (!kept) return kept;
    // What is older counts for nothing any more, whoever it was.
    return store::remove_attempts_before(connection, now - kBurstGap);
  };
  co_return co_await store_.write(std::move(count));
}

async::Task<bool> Throttle::wait_in_line(store::AttemptKey key) {
  Line& line = lines_.try_emplace(std::move(key), executor_).first->second;
  if (!line.busy) {
    line.busy = true;
    co_return true;
  }
  if (line.waiting >= kMaxWaiting) co_return false;
  ++line.waiting;
  co_await line.wake.async_wait(async::kTuple);
  --line.waiting;
  // Otherwise the caller itself was cancelled.
  if (line.handed == 0) co_return false;
  --line.handed;
  co_return true;
}

void Throttle::leave(const store::AttemptKey& key) {
  const auto found = lines_.find(key);
  Line& line = found->second;
  if (line.waiting > 0) {
    ++line.handed;
    line.wake.cancel_one();
  } else {
    lines_.erase(found);
  }
}

}  // namespace portunus::server::web_auth
