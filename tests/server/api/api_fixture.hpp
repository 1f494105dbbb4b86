#pragma once

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <map>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/ulid.hpp"
#include "common/crypto/digest.hpp"
#include "server/audit/audit_log.hpp"
#include "server/auth/bearer_auth.hpp"
#include "server/auth/client_listener.hpp"
#include "server/auth/client_service.hpp"
#include "server/auth/endpoint_settings.hpp"
#include "server/auth/password.hpp"
#include "server/auth/password_hasher.hpp"
#include "server/http/api/api.hpp"
#include "server/http/errc.hpp"
#include "server/metrics/metrics.hpp"
#include "server/owner_caps/owner_cap_service.hpp"
#include "server/people/authorization.hpp"
#include "server/people/people.hpp"
#include "server/quotas/quota_service.hpp"
#include "server/rules/rule_service.hpp"
#include "server/store/credential_store.hpp"
#include "server/store/password_store.hpp"
#include "server/store/store.hpp"
#include "server/store/user_store.hpp"
#include "server/traffic/traffic_history.hpp"
#include "server/web_auth/web_auth.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::server::http::api {

using Json = nlohmann::json;

/// A body that is there already.
class TextBody final : public BodySource {
 public:
  explicit TextBody(Result<std::string> text) : text_(std::move(text)) {}
  async::Task<Result<std::string>> read() override {
    ++reads;
    if (throws) throw std::bad_alloc();
    co_return text_;
  }
  int reads = 0;
  bool throws = false;

 private:
  Result<std::string> text_;
};

/// The edges as the domain sees them; a push is answered as the test says.
class FakeEdges final : public rules::RuleSink,
                        public owner_caps::OwnerCapSink,
                        public quotas::QuotaSink,
                        public auth::SessionSink {
 public:
  FakeEdges(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  struct Answer {
    rules::Outcome outcome = rules::Outcome::activated;
    std::string reason;
  };
  rules::RuleService* rules = nullptr;
  std::map<std::string, std::string, std::less<>> names;  ///< connected: id to name
  std::optional<Answer> answer = Answer{};                ///< nothing = the edge stays silent
  bool accepts = true;
  rules::ClientCapabilities capable{.udp = true, .version = "1.8.0"};
  std::vector<model::RuleSpec> pushed;
  std::vector<std::uint64_t> removed;

  bool connected(std::string_view id) const override { return names.contains(id); }
  const rules::ClientCapabilities* capabilities(std::string_view id) const override {
    return connected(id) ? &capable : nullptr;
  }
  bool push(std::string_view id, std::string_view request_id,
            const model::RuleSpec& rule) override {
    if (!accepts || !connected(id)) return false;
    pushed.push_back(rule);
    if (answer) {
      boost::asio::post(executor_, [this, client = std::string(id), rule = rule.id,
                                    request = std::string(request_id), reply = *answer] {
        rules->on_status(client, names[client], request, rule, reply.outcome, reply.reason);
      });
    }
    return true;
  }
  bool remove(std::string_view id, std::string_view, RuleId rule) override {
    removed.push_back(rule.value);
    return connected(id);
  }
  std::optional<std::string_view> client_version(std::string_view id) const override {
    if (!connected(id)) return std::nullopt;
    return capable.version;
  }
  quotas::QuotaSink::Told quota_changed(std::string_view id, std::string_view user) override {
    if (!connected(id)) return quotas::QuotaSink::Told::absent;
    told.push_back("quota " + std::string(user));
    return quotas::QuotaSink::Told::queued;
  }
  owner_caps::OwnerCapSink::Told owner_caps_changed(std::string_view id,
                                                    std::string_view owner) override {
    if (!connected(id)) return owner_caps::OwnerCapSink::Told::absent;
    told.push_back("caps " + std::string(owner));
    return owner_caps::OwnerCapSink::Told::queued;
  }
  std::vector<std::string> told;  ///< "quota <user>", "caps <owner>"

  std::optional<auth::LiveSession> live_session(std::string_view id) const override {
    if (!connected(id)) return std::nullopt;
    return auth::LiveSession{"203.0.113.9:51514", from_unix_micros(1'700'000'000'000'000)};
  }
  bool disconnect(std::string_view id, std::string_view) override {
    const auto it = names.find(id);
    if (it == names.end()) return false;
    names.erase(it);
    return true;
  }

 private:
  boost::asio::any_io_executor executor_;
};

/// The API over the real domain and a store on disk.
class ApiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = store::Store::open({.path = dir_ / "state.db", .readers = 1});
    ASSERT_TRUE(opened) << opened.error().text();
    store_ = std::move(*opened);
    bearer_ = std::make_unique<auth::BearerAuth>(*store_, clock_);
    hasher_ = std::make_unique<auth::PasswordHasher>();
    web_auth_ = std::make_unique<web_auth::WebAuth>(io_.executor(), *store_, *hasher_, clock_);
    clients_ = std::make_unique<auth::ClientService>(
        *store_, clock_, auth::EnrollmentMaterial{"PEM", std::string(64, 'a')},
        auth::AdvertisedEndpoint(
            std::nullopt, 7443,
            crypto::SubjectNames{{"localhost", "d.example.com"}, {"127.0.0.1"}}));
    rules_ = std::make_unique<rules::RuleService>(io_.executor(), *store_, clock_);
    owner_caps_ = std::make_unique<owner_caps::OwnerCapService>(*store_, clock_);
    quotas_ = std::make_unique<quotas::QuotaService>(io_.executor(), *store_, clock_);
    people_ = std::make_unique<people::People>(*store_, clock_, [this](Secret password) {
      return hasher_->hash_new(std::move(password));
    });
    edges_ = std::make_unique<FakeEdges>(io_.executor());
    edges_->rules = rules_.get();
    rules_->set_sink(edges_.get());
    rules_->set_listener(&news_);
    rules_->set_rights(people::find_owners_miss);
    people_->set_listener(&news_);
    owner_caps_->set_sink(edges_.get());
    quotas_->set_sink(edges_.get());
    clients_->set_sink(edges_.get());
    clients_->add_listener(&news_);
    news_.rules = rules_.get();
    news_.owner_caps = owner_caps_.get();
    news_.quotas = quotas_.get();
    audit_ = std::make_unique<audit::AuditLog>(io_.executor(), *store_, clock_);
    audit_->start();
    metrics_ = std::make_unique<metrics::Metrics>(
        metrics::Sources{*clients_, *rules_, *owner_caps_, *quotas_, *store_,
                         [] { return std::map<std::string, std::uint64_t>{}; }, *audit_});
    traffic_ = std::make_unique<traffic::TrafficHistory>(*store_, clock_);
    endpoint_ = std::make_unique<auth::EndpointSettings>(*store_, clients_->endpoint());
    api_ = make_api(*clients_);
  }
  std::unique_ptr<Api> make_api(auth::ClientService& clients, WebOrigin origin = {}) {
    return std::make_unique<Api>(
        Services{*bearer_, *web_auth_, clients, *rules_, *owner_caps_, *quotas_, *people_,
                 *metrics_, *traffic_, *endpoint_, *audit_},
        std::move(origin));
  }
  void TearDown() override {
    if (!rules_) return;
    rules_->request_stop();
    io_.run(rules_->drain(std::chrono::seconds(5)));
    quotas_->request_stop();
    io_.run(quotas_->drain(std::chrono::seconds(5)));
    web_auth_->request_stop();
    io_.run(web_auth_->drain(std::chrono::seconds(5)));
    audit_->request_stop();
    io_.run(audit_->drain(std::chrono::seconds(5)));
    store_->close();
  }

  /// The first superadmin; its token is used from now on.
  void bootstrap() {
    auto admin = auth::bootstrap_superadmin(*store_, "Ops", clock_);
    ASSERT_TRUE(admin) << admin.error().text();
    token_ = admin->token.reveal();
  }
  /// Another user with a token of its own, which is returned.
  std::string add_user(const std::string& id, store::Role role, bool disabled = false) {
    const std::string token = id + "-token";
    const auto done = store_->write_now([&](store::Connection& connection) -> Result<> {
      auto user = store::insert_user(connection, {.user_id = id,
                                                  .display_name = id,
                                                  .role = role,
                                                  .disabled = disabled,
                                                  .created_at = clock_.now()});
      if (!user) return user;
      return store::insert_credential(connection, {.credential_id = make_ulid(),
                                                   .user_id = id,
                                                   .token_hash = crypto::sha256_hex(token),
                                                   .label = std::nullopt,
                                                   .created_at = clock_.now(),
                                                   .last_used_at = std::nullopt,
                                                   .revoked_at = std::nullopt});
    });
    EXPECT_TRUE(done) << done.error().text();
    return token;
  }

  static constexpr auto kPassword = "correct horse battery";
  void set_password(const std::string& user, bool change_required = false) {
    static const std::string hash = auth::hash_password(Secret(kPassword)).value();
    const auto done = store_->write_now([&](store::Connection& connection) {
      return store::put_password(
          connection, {.user_id = user, .password_hash = hash, .change_required = change_required});
    });
    EXPECT_TRUE(done) << done.error().text();
  }
  /// A grant of all that the arguments say; its id.
  std::string grant(const std::string& user, const std::string& client, int first, int last,
                    Json protocols = Json::array({"tcp"})) {
    const Response added = post("/v1/grants", {{"user_id", user},
                                               {"client", client},
                                               {"listen_port_start", first},
                                               {"listen_port_end", last},
                                               {"protocols", std::move(protocols)}});
    EXPECT_EQ(added.status, 201U) << added.body;
    return json(added)["grant_id"];
  }

  struct Ask {
    std::string method = "GET";
    std::string target;
    std::optional<std::string> body = std::nullopt;
    std::optional<std::string> token = std::nullopt;  ///< instead of the superadmin's
    std::vector<Header> headers = {};
    std::optional<Error> body_fault = std::nullopt;
    bool body_throws = false;
  };
  Response send(Ask ask) {
    const std::size_t mark = ask.target.find('?');
    Request request;
    request.method = parse_method(ask.method);
    request.method_text = ask.method;
    request.path = ask.target.substr(0, mark);
    if (mark != std::string::npos) request.query = ask.target.substr(mark + 1);
    request.headers = ask.headers;
    request.headers.push_back({"Host", "d.example.com:7080"});
    const std::string token = ask.token.value_or(token_);
    if (!token.empty()) request.headers.push_back({"Authorization", "Bearer " + token});
    const bool typed = find_header(request.headers, "content-type").has_value();
    if (ask.body && !typed) request.headers.push_back({"Content-Type", "application/json"});
    Result<std::string> text = ask.body.value_or("");
    if (ask.body_fault) text = fail(*ask.body_fault);
    TextBody body(std::move(text));
    body.throws = ask.body_throws;
    request.body = &body;
    Response response = io_.run(api_->handle(std::move(request)));
    body_reads_ = body.reads;
    return response;
  }
  Response get(std::string target) { return send({.target = std::move(target)}); }
  Response post(std::string target, const Json& body) {
    return send({.method = "POST", .target = std::move(target), .body = body.dump()});
  }

  static Json json(const Response& response) { return Json::parse(response.body); }
  /// "<status> <code>".
  static std::string refusal(const Response& response) {
    const Json body = Json::parse(response.body, nullptr, false);
    if (!body.is_object() || !body.contains("error")) {
      return std::to_string(response.status) + " without envelope: " + response.body;
    }
    return std::to_string(response.status) + " " + body["error"]["code"].get<std::string>();
  }
  static std::string message_of(const Response& response) {
    return json(response)["error"]["message"];
  }

  /// An enrolled edge, connected unless told otherwise; its id.
  std::string enroll(const std::string& name, bool connected = true) {
    const Response created =
        post("/v1/client-enrollments", {{"name", name}, {"address", "edge.example.com"}});
    EXPECT_EQ(created.status, 201U) << created.body;
    const std::string uri = json(created)["uri"];
    const std::size_t at = uri.find("code=") + 5;
    auto bundle = io_.run(clients_->redeem(uri.substr(at, 43)));
    EXPECT_TRUE(bundle) << bundle.error().text();
    if (connected) {
      edges_->names[bundle->client_id] = name;
      rules_->begin_session(bundle->client_id, {.udp = true, .version = "1.8.0"});
    }
    return bundle->client_id;
  }
  static Json rule_body(int port, const std::string& client = "edge-01") {
    return {{"client", client},
            {"listen_port", port},
            {"target_host", "10.0.1.5"},
            {"target_port", 8443}};
  }
  static Json list_body(int port, const std::string& client = "edge-01") {
    return {{"client", client},
            {"listen_port", port},
            {"targets",
             {{{"host", "a.example"}, {"port", 443}, {"proxy_protocol", "V2"}},
              {{"host", "b.example"}, {"port", 444}, {"priority", 9}}}}};
  }
  std::uint64_t push(int port) { return push(rule_body(port)); }
  std::uint64_t push(const Json& body) {
    const Response pushed = post("/v1/rules", body);
    EXPECT_EQ(pushed.status, 201U) << pushed.body;
    return json(pushed)["rule_id"];
  }

  struct News final : auth::ClientListener, rules::RuleListener, people::PeopleListener {
    rules::RuleService* rules = nullptr;
    owner_caps::OwnerCapService* owner_caps = nullptr;
    quotas::QuotaService* quotas = nullptr;
    void on_client_enrolled(std::string_view id, std::string_view name) override {
      rules->on_client_enrolled(id, name);
      owner_caps->on_client_enrolled(id, name);
      quotas->on_client_enrolled(id, name);
    }
    void on_client_changed(std::string_view id, std::string_view name) override {
      rules->on_client_changed(id, name);
      owner_caps->on_client_changed(id, name);
      quotas->on_client_changed(id, name);
    }
    void on_client_removed(std::string_view id) override {
      rules->on_client_removed(id);
      owner_caps->on_client_removed(id);
      quotas->on_client_removed(id);
    }
    void on_caps_collected(const store::ClientRef& client, std::string_view owner) override {
      owner_caps->on_collected(client, owner);
    }
    void on_rules_removed(std::span<const store::RemovedRule> removed) override {
      rules->on_removed(removed);
    }
    void on_caps_removed(const store::ClientRef& client, std::string_view owner) override {
      owner_caps->on_collected(client, owner);
    }
  };

  test::TempDir dir_;
  test::TestIo io_;
  SystemClock clock_;
  News news_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<auth::BearerAuth> bearer_;
  std::unique_ptr<auth::PasswordHasher> hasher_;
  std::unique_ptr<web_auth::WebAuth> web_auth_;
  std::unique_ptr<auth::ClientService> clients_;
  std::unique_ptr<rules::RuleService> rules_;
  std::unique_ptr<owner_caps::OwnerCapService> owner_caps_;
  std::unique_ptr<quotas::QuotaService> quotas_;
  std::unique_ptr<people::People> people_;
  std::unique_ptr<FakeEdges> edges_;
  std::unique_ptr<audit::AuditLog> audit_;
  std::unique_ptr<metrics::Metrics> metrics_;
  std::unique_ptr<traffic::TrafficHistory> traffic_;
  std::unique_ptr<auth::EndpointSettings> endpoint_;
  std::unique_ptr<Api> api_;
  std::string token_;
  int body_reads_ = 0;
};

}  // namespace portunus::server::http::api
