#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "common/base/ulid.hpp"
#include "common/crypto/digest.hpp"
#include "server/auth/errc.hpp"
#include "server/auth/password.hpp"
#include "server/store/connection.hpp"
#include "server/store/credential_store.hpp"
#include "server/store/login_attempt_store.hpp"
#include "server/store/password_store.hpp"
#include "server/store/session_store.hpp"
#include "server/store/user_store.hpp"
#include "server/web_auth/errc.hpp"
#include "server/web_auth/web_auth.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::server::web_auth {

using namespace std::chrono_literals;

inline constexpr auto kPassword = "correct horse battery";
inline constexpr auto kWrong = "incorrect horse battery";
inline constexpr auto kHere = "203.0.113.9";
inline constexpr auto kElsewhere = "203.0.113.10";

/// Web authentication over a store on disk; the test owns the time.
class WebAuthFixture : public testing::Test {
 protected:
  WebAuthFixture() { open(); }
  ~WebAuthFixture() override { close(); }

  /// The server's next life on the same store.
  void restart() {
    close();
    open();
  }
  /// A user, who has kPassword unless told otherwise.
  void add_user(const std::string& id, store::Role role = store::Role::user,
                bool with_password = true) {
    write([&](store::Connection& c) -> Result<> {
      const auto user = store::insert_user(c, {.user_id = id,
                                               .display_name = "The " + id,
                                               .role = role,
                                               .disabled = false,
                                               .created_at = clock_.now()});
      if (!user || !with_password) return user;
      return store::put_password(
          c, {.user_id = id, .password_hash = shared_hash(), .change_required = false});
    });
  }
  void add_admin() { add_user("admin", store::Role::superadmin); }
  /// An API token of the user; its id.
  std::string add_credential(const std::string& user, const std::string& token) {
    std::string id = make_ulid(clock_);
    write([&](store::Connection& c) {
      return store::insert_credential(c, {.credential_id = id,
                                          .user_id = user,
                                          .token_hash = crypto::sha256_hex(token),
                                          .label = std::nullopt,
                                          .created_at = clock_.now(),
                                          .last_used_at = std::nullopt,
                                          .revoked_at = std::nullopt});
    });
    return id;
  }
  /// What no call of this release does.
  void disable(const std::string& id) {
    write([&](store::Connection& c) -> Result<> {
      c.run_script("UPDATE users SET disabled = 1 WHERE user_id = '" + id + "'");
      return {};
    });
  }
  template <class F>
  void write(F fn) {
    const auto done = store_->write_now(fn);
    EXPECT_TRUE(done) << done.error().text();
  }
  template <class F>
  auto read(F fn) {
    return store_->read_now(fn).value();
  }

  Result<LoggedIn> log_in(const std::string& user, const std::string& password,
                          const std::string& from = kHere) {
    return io_.run(
        web_auth_->log_in({user, Secret(password)}, {.address = from, .user_agent = "test agent"}));
  }
  /// A session's secret.
  Secret session(const std::string& user) {
    const auto done = log_in(user, kPassword);
    EXPECT_TRUE(done) << done.error().text();
    return done ? done->cookie : Secret();
  }
  Result<auth::Identity> verify(const Secret& cookie) {
    return io_.run(web_auth_->sessions().verify(cookie));
  }
  Result<auth::Identity> log_out(const Secret& cookie) {
    return io_.run(web_auth_->sessions().revoke(cookie));
  }
  std::optional<store::AttemptRow> attempts(store::AttemptKey::Action action,
                                            const std::string& subject,
                                            const std::string& from = kHere) {
    return read(
        [&](store::Connection& c) { return store::find_attempts(c, {action, subject, from}); });
  }
  std::optional<store::PasswordRow> password_of(const std::string& user) {
    return read([&](store::Connection& c) { return store::find_password(c, user); });
  }
  std::optional<store::SessionRow> session_row(const Secret& cookie) {
    const std::string hash = crypto::sha256_hex(cookie.reveal());
    return read([&](store::Connection& c) { return store::find_session(c, hash); });
  }
  /// Waits for what is written behind.
  void settle() { ASSERT_TRUE(io_.run(web_auth_->drain(5s))); }

  /// "locked for <seconds>", or the code.
  static std::string refusal(const Error& error) {
    return error == Errc::rate_limited ? "locked for " + error.detail : error.code.message();
  }
  template <class T>
  static std::string refusal(const Result<T>& result) {
    return result ? "none" : refusal(result.error());
  }

  test::TempDir dir_;
  ManualClock clock_;
  test::TestIo io_;
  test::LogCapture log_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<auth::PasswordHasher> hasher_;
  std::unique_ptr<WebAuth> web_auth_;

 private:
  void open() {
    store_ = store::Store::open({.path = dir_ / "state.db"}).value();
    hasher_ = std::make_unique<auth::PasswordHasher>();
    web_auth_ = std::make_unique<WebAuth>(io_.executor(), *store_, *hasher_, clock_);
  }
  void close() {
    web_auth_->request_stop();
    io_.run(web_auth_->drain(5s));
    web_auth_.reset();
    hasher_.reset();
    store_.reset();
  }
  static const std::string& shared_hash() {
    static const std::string hash = auth::hash_password(Secret(kPassword)).value();
    return hash;
  }
};

}  // namespace portunus::server::web_auth
