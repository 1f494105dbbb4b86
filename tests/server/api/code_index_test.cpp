#include <gtest/gtest.h>

#include <set>

#include "server/http/api/error_map.hpp"
#include "server/store/traffic_sample_store.hpp"
#include "server/web_auth/setup_token.hpp"
#include "tests/server/api/api_fixture.hpp"

namespace portunus::server::http::api {
namespace {

/// Collects the code of every refusal.
class CodeIndexTest : public ApiTest {
 protected:
  void expect(const Response& response) { seen_.insert(refusal(response)); }
  void expect_push(const char* key, Json value) {
    Json body = rule_body(18080);
    body[key] = std::move(value);
    expect(post("/v1/rules", body));
  }
  void expect_enroll(Json body) { expect(post("/v1/client-enrollments", body)); }
  /// One request to an API whose endpoint seed is `seed`.
  void expect_with_seed(const std::string& seed) {
    auth::ClientService seeded(*store_, clock_, {"PEM", std::string(64, 'a')},
                               auth::AdvertisedEndpoint(seed, 7443, {{"localhost"}, {}}));
    const auto usual = std::move(api_);
    api_ = make_api(seeded);
    expect_enroll({{"name", "new-edge"}});
    api_ = make_api(*clients_);
  }

  void before_bootstrap() { expect(get("/v1/users/me")); }
  void transport() {
    expect(send({.target = "/v1/users/me", .token = ""}));
    expect(send({.target = "/v1/users/me", .token = "x"}));
    expect(send({.target = "/v1/users/me", .token = add_user("off", store::Role::user, true)}));
    expect(get("/v1/nothing"));
    expect(send({.method = "PUT", .target = "/v1/rules"}));
    expect(send({.method = "POST", .target = "/v1/rules"}));
    expect(send({.method = "POST", .target = "/v1/rules", .body = "{"}));
    expect(send({.method = "POST", .target = "/v1/rules", .body = "{}"}));
    expect(send({.method = "POST",
                 .target = "/v1/rules",
                 .body = "",
                 .body_fault = Error(http::Errc::body_too_large)}));
    expect(send({.method = "POST",
                 .target = "/v1/rules",
                 .body = "",
                 .body_fault = Error(http::Errc::bodies_too_large, "1")}));
    expect(get("/v1/rules?client=%"));
    expect(send({.method = "DELETE", .target = "/v1/rules/x"}));
  }
  void clients() {
    expect_enroll({{"name", "Bad"}});
    expect_enroll({{"name", "e"}, {"ttl_secs", 0}});
    expect_enroll({{"name", "e"}, {"address", "a:1"}});
    expect_enroll({{"name", "edge-01"}});
    expect(send({.method = "DELETE", .target = "/v1/clients/edge-01"}));
    expect(send({.method = "DELETE", .target = "/v1/clients/edge-77"}));
    expect_with_seed("not an endpoint:1");
    expect_with_seed("other.example.com:7443");
  }
  void rules() {
    const std::uint64_t owned = push(18080);
    expect_push("listen_port", 18080);
    const std::string alice = add_user("alice", store::Role::user);
    const std::string path = "/v1/rules/" + std::to_string(owned);
    expect(send({.method = "DELETE", .target = path, .token = alice}));
    expect(send({.target = "/v1/metrics", .token = alice}));
    expect(send(
        {.method = "POST", .target = "/v1/rules", .body = rule_body(1).dump(), .token = alice}));
    expect(send({.method = "DELETE", .target = "/v1/rules/999"}));
    expect_push("protocol", "sctp");
    expect_push("listen_port", 0);
    expect_push("targets", Json::array());
    expect_push("target_host", nullptr);
    expect_push("target_host", "a b");
    expect_push("target_host", "a-.example");
    expect_push("target_host", std::string(64, 'a'));
    expect_push("target_host", std::string(120, 'a') + "." + std::string(140, 'a'));
    expect_push("client", "edge-77");
    shapes();
    conflicts();
    gates();
    edges_->answer = FakeEdges::Answer{rules::Outcome::failed, "x"};
    expect_push("listen_port", 18081);
    edges_->answer.reset();
    Json silent = rule_body(18082);
    silent["ack_timeout_secs"] = 0;
    expect(post("/v1/rules", silent));
  }
  void expect_list(const char* key, Json value) {
    Json body = list_body(18090);
    body[key] = std::move(value);
    expect(post("/v1/rules", body));
  }
  void expect_targets(Json targets) { expect_list("targets", std::move(targets)); }
  void shapes() {
    Json range = rule_body(20000);
    range["listen_port_end"] = 22000;
    range["target_port_end"] = 8443 + 2000;
    expect(post("/v1/rules", range));
    const Json good = {{"host", "a"}, {"port", 1}};
    expect_targets(Json::array());
    expect_targets(Json(9, good));
    expect_targets({good, good});
    expect_targets({{{"host", "a_b"}, {"port", 1}}});
    expect_targets({{{"host", "a"}, {"port", 0}}});
    const Json proxied = {{"host", "a"}, {"port", 1}, {"proxy_protocol", "v1"}};
    expect_targets({{{"host", "a"}, {"port", 1}, {"proxy_protocol", "v3"}}});
    expect_list("health_check_interval_secs", 3601);
    expect_list("sni_pattern", "a..b");
    Json udp = list_body(18090);
    udp["protocol"] = "udp";
    udp["sni_pattern"] = "a.b";
    expect(post("/v1/rules", udp));
    udp.erase("sni_pattern");
    udp["targets"] = Json::array({proxied});
    expect(post("/v1/rules", udp));
    expect_list("rate_limit", {{"concurrent_connections", 0}});
    expect_list("rate_limit", {{"bandwidth_in_burst", 1}});
    expect_list("rate_limit", {{"bandwidth_in_bps", 100}, {"bandwidth_in_burst", 6001}});
    expect_list("rate_limit", {{"concurrent_connections_burst", 1}});
    expect_push("rate_limit", Json::object());
    const std::uint64_t id = push(18070);
    expect(send({.method = "PUT",
                 .target = "/v1/rules/" + std::to_string(id),
                 .body = rule_body(18071).dump()}));
  }
  void conflicts() {
    push(18060);
    Json sni = rule_body(18060);
    sni["sni_pattern"] = "a.b";
    expect(post("/v1/rules", sni));
    sni["listen_port"] = 18061;
    EXPECT_EQ(post("/v1/rules", sni).status, 201U);
    expect(post("/v1/rules", sni));
    push(18061);
    expect(post("/v1/rules", rule_body(18061)));
  }
  void gates() {
    const rules::ClientCapabilities usual = edges_->capable;
    edges_->capable = {.udp = false, .version = "0.6.0"};
    expect_push("protocol", "udp");
    expect_list("protocol", "tcp");
    expect_push("sni_pattern", "a.b");
    Json one = list_body(18090);
    one["targets"] = {{{"host", "a"}, {"port", 1}, {"proxy_protocol", "v1"}}};
    expect(post("/v1/rules", one));
    one["targets"] = {{{"host", "a"}, {"port", 1}}};
    one["rate_limit"] = {{"concurrent_connections", 1}};
    expect(post("/v1/rules", one));
    edges_->capable = usual;
  }
  void limits() {
    const auto put = [&](const std::string& target, const Json& body) {
      expect(send({.method = "PUT", .target = target, .body = body.dump()}));
    };
    const std::string caps = "/v1/clients/edge-01/owners/alice/rate-limit";
    put("/v1/clients/Bad/owners/alice/rate-limit", Json::object());
    put("/v1/clients/edge-01/owners/A/rate-limit", Json::object());
    expect(get(caps));
    const std::string quota = "/v1/users/_superadmin/quotas/";
    put(quota + "edge-01", {{"monthly_bytes", -1}});
    put(quota + "Bad", {{"monthly_bytes", 1}});
    put("/v1/users/nobody/quotas/edge-01", {{"monthly_bytes", 1}});
    put(quota + "edge-01", {{"monthly_bytes", 1}, {"billing_anchor", 253'402'300'800}});
    expect(get(quota + "edge-01/status"));
    EXPECT_EQ(send({.method = "PUT",
                    .target = quota + "edge-01",
                    .body = R"({"monthly_bytes":1,"billing_anchor":5})"})
                  .status,
              200U);
    put(quota + "edge-01", {{"monthly_bytes", 1}, {"billing_anchor", 6}});
    const rules::ClientCapabilities usual = edges_->capable;
    edges_->capable.version = "1.3.0";
    put(quota + "edge-01", {{"monthly_bytes", 1}});
    edges_->capable = usual;
  }
  void traffic() {
    const std::string global = "/v1/traffic/global";
    expect(get(global + "?from=5&to=5"));
    expect(get(global + "?from=0&to=5&bucket=2m"));
    expect(get(global + "?from=0&to=5"));
    EXPECT_TRUE(store_->write_now([&](store::Connection& c) -> Result<> {
      // All of them hours from now, which no clock of this test reaches.
      const std::int64_t later = to_unix_seconds(clock_.now()) / 60 * 60 + 86'400;
      for (int minute = 0; minute <= 10'000; ++minute) {
        const auto added = store::add_minute_sample(c, {std::nullopt, "edge-01"}, "alice",
                                                    later + minute * 60, 1, 1);
        if (!added) return added;
      }
      return {};
    }));
    expect(get(global +
               "?bucket=1m&to=9000000000&from=" + std::to_string(to_unix_seconds(clock_.now()))));
  }
  void audit() {
    expect(get("/v1/audit?limit=0"));
    expect(get("/v1/audit?outcome=x"));
    expect(get("/v1/audit?since=x"));
    expect(get("/v1/audit?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z"));
    expect(get("/v1/audit?cursor=x"));
  }
  void sessions() {
    const auto onboard = [&](const Json& body) { expect(post("/v1/auth/onboarding", body)); };
    onboard(
        {{"user_id", "x"}, {"display_name", "x"}, {"password", "x"}, {"password_confirm", "x"}});
    const auto log_in = [&](const char* user, const char* password) {
      return post("/v1/auth/login", {{"user_id", user}, {"password", password}});
    };
    add_user("bob", store::Role::user);
    set_password("bob", true);
    const Response in = log_in("bob", kPassword);
    const std::string text(in.header("set-cookie").value_or(""));
    const Header cookie{"Cookie", text.substr(0, text.find(';'))};
    const Header origin{"Origin", "http://d.example.com:7080"};
    const Header mark{"X-Portunus-CSRF", "1"};
    const auto browse = [&](const char* method, std::vector<Header> headers) {
      headers.push_back(cookie);
      expect(send({.method = method, .target = "/v1/rules", .headers = std::move(headers)}));
    };
    browse("GET", {});
    browse("POST", {});
    browse("POST", {{"Origin", "http://x"}});
    browse("POST", {origin});
    browse("POST", {origin, mark, {"Content-Length", "5"}});
    for (int i = 0; i < 5; ++i) expect(log_in("carol", "not the password"));
    expect(log_in("carol", "not the password"));
    const auto change = [&](const std::string& wanted, const std::string& confirm) {
      expect(send({.method = "POST",
                   .target = "/v1/users/me/password",
                   .body = Json{{"current_password", kPassword},
                                {"new_password", wanted},
                                {"new_password_confirm", confirm}}
                               .dump(),
                   .token = "bob-token"}));
    };
    change("short", "other");
    change("short", "short");
    change(std::string(1025, 'x'), std::string(1025, 'x'));
    expect(post("/v1/users/nobody/password", Json::object()));
  }
  /// While no enabled superadmin exists.
  void onboarding() {
    const auto onboard = [&](const Json& body) { expect(post("/v1/auth/onboarding", body)); };
    Json body = {{"user_id", "_x"},
                 {"display_name", ""},
                 {"password", kPassword},
                 {"password_confirm", kPassword}};
    onboard(body);
    body["setup_token"] = "x";
    onboard(body);
    body["setup_token"] = web_auth::rotate_setup_token(*store_, clock_).value().value().reveal();
    onboard(body);
    body["user_id"] = "dora";
    onboard(body);
    body["display_name"] = "Dora";
    add_user("dora", store::Role::user);
    onboard(body);
  }
  void people() {
    const auto user = [&](Json body) { expect(post("/v1/users", body)); };
    user({{"user_id", "_x"}, {"display_name", "X"}});
    user({{"user_id", "x"}, {"display_name", " "}});
    user({{"user_id", "x"}, {"display_name", "X"}, {"password_change_required", true}});
    user({{"user_id", "alice"}, {"display_name", "X"}});
    expect(get("/v1/users/nobody"));
    expect(send({.method = "DELETE", .target = "/v1/users/_superadmin"}));
    expect(send({.method = "DELETE", .target = "/v1/users/alice/credentials/x"}));
    // Somebody whose token outlived the check of his role.
    EXPECT_EQ(io_.run(people_->users.remove("ghost", "_superadmin")).error(),
              people::Errc::last_superadmin);
    seen_.insert(refusal(to_response(people::Errc::last_superadmin)));
    const auto grant = [&](const char* key, Json value) {
      Json body{{"user_id", "alice"},
                {"client", "edge-01"},
                {"listen_port_start", 1},
                {"listen_port_end", 2},
                {"protocols", Json::array({"tcp"})}};
      body[key] = std::move(value);
      return post("/v1/grants", body);
    };
    expect(grant("client", "Bad"));
    expect(grant("listen_port_start", 0));
    expect(grant("protocols", Json::array()));
    expect(send({.method = "DELETE", .target = "/v1/grants/x"}));
    ASSERT_EQ(grant("note", "n").status, 201U);
    const std::string token = json(post("/v1/users/alice/credentials", Json::object()))["token"];
    Json udp = rule_body(1);
    udp["protocol"] = "udp";
    expect(send({.method = "POST", .target = "/v1/rules", .body = udp.dump(), .token = token}));
    expect(send(
        {.method = "POST", .target = "/v1/rules", .body = rule_body(3).dump(), .token = token}));
  }
  void broken_store() {
    store_->close();
    expect(get("/v1/clients"));
  }

  std::set<std::string> seen_;
};

/// The codes of http-api 15 that the routes of this release have, each produced by a request.
TEST_F(CodeIndexTest, HTTP_15_every_code_of_this_release_is_produced) {
  before_bootstrap();
  onboarding();
  bootstrap();
  enroll("edge-01");
  transport();
  clients();
  rules();
  limits();
  traffic();
  audit();
  sessions();
  people();
  broken_store();
  const std::set<std::string> expected = {"400 invalid_json",
                                          "400 invalid_query",
                                          "400 invalid_path",
                                          "400 invalid_name",
                                          "400 invalid_client_address",
                                          "400 invalid_enrollment_ttl",
                                          "400 invalid_protocol",
                                          "400 invalid_target_host",
                                          "400 invalid_target_host_too_long",
                                          "400 invalid_target_host_label_too_long",
                                          "400 invalid_target_host_label_hyphen",
                                          "400 range_invalid",
                                          "400 rule_shape_conflict",
                                          "400 rule_shape_missing",
                                          "401 unauthenticated",
                                          "401 credential_invalid",
                                          "401 user_disabled",
                                          "403 role_required",
                                          "403 not_owner",
                                          "403 client_not_granted",
                                          "404 not_found",
                                          "404 client_not_found",
                                          "404 rule_not_found",
                                          "405 method_not_allowed",
                                          "413 payload_too_large",
                                          "415 unsupported_media_type",
                                          "409 client_already_exists",
                                          "409 client_not_revoked",
                                          "409 port_in_use",
                                          "422 invalid_body",
                                          "422 client_not_connected",
                                          "422 activation_failed",
                                          "422 endpoint_invalid",
                                          "422 endpoint_not_in_cert_san",
                                          "503 bootstrap_required",
                                          "503 server_busy",
                                          "504 ack_timeout",
                                          "500 store_error",
                                          "400 exceeds_cap",
                                          "400 targets_empty",
                                          "400 targets_too_many",
                                          "400 targets_duplicate",
                                          "400 target_invalid_host",
                                          "400 target_invalid_port",
                                          "400 health_check_interval_out_of_range",
                                          "400 validation.sni_on_unsupported_rule",
                                          "400 validation.sni_pattern_malformed",
                                          "400 validation.proxy_protocol_invalid",
                                          "400 validation.proxy_protocol_on_unsupported_rule",
                                          "400 validation.rate_limit_cap_zero",
                                          "400 validation.rate_limit_burst_without_rate",
                                          "400 validation.rate_limit_burst_range",
                                          "400 validation.rate_limit_burst_unsupported",
                                          "400 validation.rate_limit_on_legacy_shape",
                                          "400 validation.rule_update_shape_mismatch",
                                          "409 conflict.sni_route_duplicate",
                                          "409 conflict.sni_fallback_duplicate",
                                          "409 conflict.legacy_to_sni_unsupported",
                                          "422 unsupported_protocol",
                                          "422 multi_target_unsupported_by_client",
                                          "422 sni_unsupported_by_client",
                                          "422 proxy_protocol_unsupported_by_client",
                                          "422 rate_limit_unsupported_by_client",
                                          "400 validation.client_name_invalid",
                                          "422 invalid_user_id",
                                          "404 owner_rate_limit_not_found",
                                          "400 invalid_quota_size",
                                          "400 invalid_client_name",
                                          "422 quota_target_not_found",
                                          "400 invalid_billing_anchor",
                                          "404 quota_not_found",
                                          "409 billing_anchor_immutable",
                                          "422 quota_unsupported_by_client",
                                          "400 invalid_time_range",
                                          "400 invalid_bucket",
                                          "422 quota_bucket_out_of_retention",
                                          "422 traffic_too_many_rows",
                                          "422 invalid_limit",
                                          "422 invalid_outcome",
                                          "400 invalid_timestamp",
                                          "400 invalid_cursor",
                                          "401 invalid_login",
                                          "401 setup_token_required",
                                          "401 setup_token_invalid",
                                          "403 password_change_required",
                                          "403 csrf_origin_required",
                                          "403 csrf_origin_mismatch",
                                          "403 csrf_header_required",
                                          "403 csrf_content_type_required",
                                          "404 user_not_found",
                                          "409 already_bootstrapped",
                                          "409 user_already_exists",
                                          "422 reserved_user_id",
                                          "422 invalid_display_name",
                                          "422 password_too_short",
                                          "422 password_too_long",
                                          "422 password_mismatch",
                                          "429 rate_limited",
                                          "422 initial_password_required",
                                          "409 cannot_remove_self",
                                          "404 credential_not_found",
                                          "409 last_superadmin",
                                          "422 invalid_client",
                                          "422 invalid_port_range",
                                          "422 empty_protocol_set",
                                          "404 grant_not_found",
                                          "403 protocol_not_granted",
                                          "403 port_outside_grant"};
  EXPECT_EQ(seen_, expected);
}

}  // namespace
}  // namespace portunus::server::http::api
