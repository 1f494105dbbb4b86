#include "server/web_auth/web_auth.hpp"

#include <utility>

#include "common/model/names.hpp"
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

store::AttemptKey WebAuth::login_key(std::string_view user_id, std::string address) {
  return {.action = store::AttemptKey::Action::login,
          .subject = model::is_user_id(user_id) ? std::string(user_id) : "_unknown",
          .remote_address = std::move(address)};
}

async::Task<Error> WebAuth::counted(Error error, store::AttemptKey key) {
  const Result<> done = co_await throttle_.count_failure(std::move(key));
  // An attempt that left no trace could be repeated for ever.
  if (!done) co_return done.error();
  co_return error;
}

}  // namespace portunus::server::web_auth
