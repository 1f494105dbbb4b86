#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <map>
#include <string>

#include "common/async/gate.hpp"
#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "server/auth/bearer_auth.hpp"
#include "server/store/rows.hpp"
#include "server/store/store.hpp"

namespace portunus::server::web_auth {

// Lifetimes (http-api 3.3). A session is over later than either limit, not at it.
inline constexpr std::chrono::hours kSessionIdle{8};
inline constexpr std::chrono::seconds kSessionAbsolute{604'800};

/// Who a session belongs to.
auth::Identity session_identity(const store::UserRow& user);

/// A session that begins now, with the secret for its cookie.
struct NewSession {
  Secret cookie;
  store::SessionRow row;
};
NewSession new_session(std::string user_id, std::string remote_address,
                       std::optional<std::string> user_agent, SystemTime now);

/// Browser sessions. A use counts from the moment it is accepted; writing it down is left to one
/// background write at a time, in which all uses since the last one travel together. Lives on the
/// domain executor. Stops in two calls, before the store closes.
class Sessions {
 public:
  Sessions(boost::asio::any_io_executor executor, store::Store& store, const Clock& clock)
      : store_(store), clock_(clock), gate_(std::move(executor)) {}

  /// Steps 1 and 2 of http-api 3.1. auth::Errc::bootstrap_required, then credential_invalid, then
  /// user_disabled; or a store error. A success is a use.
  async::Task<Result<auth::Identity>> verify(Secret cookie);
  /// Ends that session; who had it. auth::Errc::credential_invalid when there is none to end.
  async::Task<Result<auth::Identity>> revoke(Secret cookie);

  /// Lets no more uses be written but those that wait. Idempotent.
  void request_stop() { gate_.close(); }
  async::Task<bool> drain(std::chrono::steady_clock::duration grace) { return gate_.drain(grace); }

 private:
  void note_use(const std::string& session_hash, SystemTime now);
  async::Task<> write_uses();
  /// A use that the store may not have yet.
  SystemTime unwritten_use(const std::string& session_hash) const;

  store::Store& store_;
  const Clock& clock_;
  std::map<std::string, SystemTime> uses_;  ///< by session hash; what the store may not have yet
  bool writing_ = false;
  async::Gate gate_;
};

}  // namespace portunus::server::web_auth
