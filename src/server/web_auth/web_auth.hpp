#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "server/auth/bearer_auth.hpp"
#include "server/auth/password_hasher.hpp"
#include "server/store/store.hpp"
#include "server/web_auth/password_reset.hpp"
#include "server/web_auth/sessions.hpp"
#include "server/web_auth/throttle.hpp"

namespace portunus::server::web_auth {

/// Where a request comes from, as far as sessions and throttling ask.
struct Peer {
  std::string address;  ///< without port
  std::optional<std::string> user_agent;
};

struct LoginRequest {
  std::string user_id;
  Secret password;
};
struct LoggedIn {
  Secret cookie;
  auth::Identity who;
};

struct OnboardingRequest {
  std::string user_id;
  std::string display_name;
  Secret password;
  Secret password_confirm;
  Secret setup_token;  ///< empty when none was sent
};

struct PasswordChange {
  Secret current;
  Secret wanted;
  Secret wanted_confirm;
};

/// People in a browser: onboarding, login, sessions, passwords (http-api 3.3 to 3.7, 5.1, 6.1).
/// Lives on the domain executor and asks `hasher` for everything that takes time. Stops in two
/// calls, before the store closes.
///
/// Besides what stands at each call: store errors, and auth::Errc::password_queue_full or
/// password_hash_failed where a password is hashed or checked; none of these counts as a failure of
/// the caller.
class WebAuth {
 public:
  WebAuth(boost::asio::any_io_executor executor, store::Store& store, auth::PasswordHasher& hasher,
          const Clock& clock)
      : store_(store),
        hasher_(hasher),
        clock_(clock),
        throttle_(executor, store, clock),
        sessions_(executor, store, clock) {}

  Sessions& sessions() { return sessions_; }

  /// No enabled superadmin exists.
  async::Task<Result<bool>> onboarding_required();

  /// The first superadmin, with a password and no session. Of two calls at once one succeeds. In
  /// this order: auth::Errc::already_bootstrapped; Errc::rate_limited, setup_token_required,
  /// setup_token_invalid, invalid_user_id, reserved_user_id; auth::Errc::invalid_display_name;
  /// Errc::password_mismatch; the policy's; Errc::user_already_exists.
  async::Task<Result<auth::Identity>> onboard(OnboardingRequest request, Peer peer);

  /// Errc::rate_limited, invalid_login.
  async::Task<Result<LoggedIn>> log_in(LoginRequest request, Peer peer);

  /// Errc::password_mismatch, rate_limited, invalid_login; the policy's. Sessions and tokens stay.
  /// The current password is guessed here as it is at a login, so both count together.
  async::Task<Result<>> change_password(std::string user_id, PasswordChange change, Peer peer);

  /// By an administrator. Errc::invalid_user_id, rate_limited; the policy's; Errc::user_not_found.
  async::Task<Result<PasswordReset>> reset_password(ResetRequest request, Peer peer);

  void request_stop() { sessions_.request_stop(); }
  async::Task<bool> drain(std::chrono::steady_clock::duration grace) {
    return sessions_.drain(grace);
  }

 private:
  async::Task<Result<auth::Identity>> try_onboarding(OnboardingRequest request,
                                                     store::AttemptKey key);
  async::Task<Result<LoggedIn>> try_login(LoginRequest request, Peer peer, store::AttemptKey key);
  async::Task<Result<>> try_change(std::string user_id, PasswordChange change,
                                   store::AttemptKey key);
  async::Task<Result<PasswordReset>> try_reset(ResetRequest request, store::AttemptKey key);
  /// Whose wrong passwords count together.
  static store::AttemptKey login_key(std::string_view user_id, std::string address);
  /// `error`, once it is counted; the store's if it cannot be.
  async::Task<Error> counted(Error error, store::AttemptKey key);

  store::Store& store_;
  auth::PasswordHasher& hasher_;
  const Clock& clock_;
  Throttle throttle_;
  Sessions sessions_;
};

}  // namespace portunus::server::web_auth
