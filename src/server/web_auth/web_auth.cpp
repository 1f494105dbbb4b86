#include "server/web_auth/web_auth.hpp"

#include <utility>

#include "server/store/user_store.hpp"

namespace portunus::server::web_auth {

async::Task<Result<bool>> WebAuth::onboarding_required() {
  auto look = [](store::Connection& connection) {
    return store::superadmin_exists(connection, true);
  };
  const Result<bool> closed = co_await store_.read(std::move(look));
  if (!closed) co_return fail(closed.error());
  co_return !*closed;
}

async::Task<Error> WebAuth::counted(Error error, store::AttemptKey key) {
  const Result<> done = co_await throttle_.count_failure(std::move(key));
  // An attempt that left no trace could be repeated for ever.
  if (!done) co_return done.error();
  co_return error;
}

}  // namespace portunus::server::web_auth
