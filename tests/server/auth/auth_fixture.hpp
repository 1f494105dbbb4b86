#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/crypto/digest.hpp"
#include "server/auth/client_service.hpp"
#include "server/auth/errc.hpp"
#include "server/store/client_store.hpp"
#include "server/store/store.hpp"
#include "server/store/user_store.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::server::auth {

/// Live sessions as a test says; remembers what was ended.
class FakeSessions final : public SessionSink {
 public:
  std::optional<LiveSession> live_session(std::string_view client_id) const override {
    const auto it = live.find(client_id);
    return it == live.end() ? std::nullopt : std::optional(it->second);
  }
  bool disconnect(std::string_view client_id, std::string_view reason) override {
    ended.emplace_back(client_id, reason);
    const auto it = live.find(client_id);
    if (it == live.end()) return false;
    live.erase(it);
    return true;
  }

  std::map<std::string, LiveSession, std::less<>> live;
  std::vector<std::pair<std::string, std::string>> ended;
};

/// Writes down what it hears as "enrolled <name>", "changed <name>", "removed".
class FakeListener final : public ClientListener {
 public:
  void on_client_enrolled(std::string_view id, std::string_view name) override {
    heard.push_back("enrolled " + std::string(name));
    last_id = id;
  }
  void on_client_changed(std::string_view id, std::string_view name) override {
    heard.push_back("changed " + std::string(name));
    last_id = id;
  }
  void on_client_removed(std::string_view id) override {
    heard.emplace_back("removed");
    last_id = id;
  }

  std::vector<std::string> heard;
  std::string last_id;
};

/// A client service on a real store, for a server that is reachable as d.example.com.
class AuthFixture : public testing::Test {
 protected:
  AuthFixture() {
    store_ = store::Store::open({.path = dir_ / "state.db"}).value();
    make_service("d.example.com:7443", {{"d.example.com", "localhost"}, {"127.0.0.1"}});
  }
  void make_service(std::optional<std::string> seed, crypto::SubjectNames names) {
    service_ = std::make_unique<ClientService>(
        *store_, clock_, EnrollmentMaterial{"PEM TEXT", std::string(64, 'f')},
        AdvertisedEndpoint(std::move(seed), 7443, std::move(names)));
    service_->set_sink(&sessions_);
    service_->add_listener(&listener_);
  }

  Result<IssuedEnrollment> enroll(std::string name, std::int64_t ttl = 600,
                                  std::optional<std::string> address = std::nullopt) {
    return io_.run(service_->enroll_new(std::move(name), std::move(address), ttl, std::nullopt));
  }
  Result<IssuedEnrollment> enroll_again(std::string client, std::int64_t ttl = 600) {
    return io_.run(service_->enroll_again(std::move(client), ttl, std::nullopt));
  }
  static std::string code_of(const IssuedEnrollment& issued) {
    const auto start = issued.uri.find("&code=") + 6;
    return issued.uri.substr(start, issued.uri.find('&', start) - start);
  }
  Result<RedeemedBundle> redeem(const IssuedEnrollment& issued) {
    return io_.run(service_->redeem(code_of(issued)));
  }
  /// An enrolled client.
  RedeemedBundle provision(const std::string& name) { return redeem(enroll(name).value()).value(); }
  Result<store::ClientRow> authenticate(std::optional<std::string> header) {
    return io_.run(service_->authenticate(std::move(header)));
  }
  Result<store::ClientRow> authenticate(const Secret& token) {
    return authenticate("Bearer " + token.reveal());
  }
  void connect(const std::string& client_id) {
    sessions_.live[client_id] = {"203.0.113.9:51514", clock_.now()};
  }

  test::TempDir dir_;
  ManualClock clock_;
  test::TestIo io_;
  test::LogCapture log_;
  FakeSessions sessions_;
  FakeListener listener_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<ClientService> service_;
};

}  // namespace portunus::server::auth
