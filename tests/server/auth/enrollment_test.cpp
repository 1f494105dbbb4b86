#include <gtest/gtest.h>

#include "server/store/connection.hpp"
#include "server/store/enrollment_store.hpp"
#include "server/store/rule_store.hpp"
#include "tests/server/auth/auth_fixture.hpp"

// Codes from issuing to redeeming (http-api 7.2, control-wire 10).

namespace portunus::server::auth {
namespace {

using EnrollmentTest = AuthFixture;

TEST_F(EnrollmentTest, HTTP_7_2_the_uri_carries_pin_code_and_certificate_in_order) {
  clock_.step_wall(std::chrono::milliseconds(500));
  const auto issued = enroll("edge-01", 600, " Edge.Example.com. ");
  ASSERT_TRUE(issued) << issued.error().text();
  EXPECT_EQ(issued->client_name, "edge-01");
  EXPECT_EQ(issued->expires_at, clock_.now() + std::chrono::seconds(600));
  EXPECT_EQ(code_of(*issued).size(), 43U);
  EXPECT_EQ(issued->uri, "portunus://d.example.com:7443/enroll?pin=sha256:" + std::string(64, 'f') +
                             "&code=" + code_of(*issued) + "&cert=UEVNIFRFWFQ");
  EXPECT_EQ(issued->command(), "portunus-client enroll '" + issued->uri + "'");
  EXPECT_EQ(log_.count("audit.client_enrollment_created",
                       {"\"client_name\":\"edge-01\"", "\"expires_at\":\"2023-11-14T22:23:20.5"}),
            1U);
}

TEST_F(EnrollmentTest, HTTP_7_2_errors_of_a_new_client_in_order) {
  make_service("bad seed", {});
  EXPECT_EQ(enroll("Edge", 0, "http://x").error(), Errc::invalid_name);
  EXPECT_EQ(enroll("edge-01", 0, "http://x").error(), Errc::invalid_enrollment_ttl);
  EXPECT_EQ(enroll("edge-01", 86'401, "http://x").error(), Errc::invalid_enrollment_ttl);
  EXPECT_EQ(enroll("edge-01", 86'400, "http://x").error(), Errc::invalid_client_address);
  EXPECT_EQ(enroll("edge-01", 1, "x").error(), Errc::endpoint_invalid);
  make_service("d.example.com:7443", {});
  EXPECT_EQ(enroll("edge-01").error(), Errc::endpoint_not_in_cert_san);
  make_service("d.example.com:7443", {{"d.example.com"}, {}});
  provision("edge-01");
  EXPECT_EQ(enroll("edge-01").error(), Errc::client_already_exists);
  ASSERT_TRUE(io_.run(service_->revoke("edge-01")));
  EXPECT_EQ(enroll("edge-01").error(), Errc::client_already_exists);  // also while revoked
}

TEST_F(EnrollmentTest, HTTP_7_2_errors_of_an_existing_client_in_order) {
  make_service("bad seed", {});
  EXPECT_EQ(enroll_again("Edge", 0).error(), Errc::invalid_name);
  EXPECT_EQ(enroll_again("edge-01", 0).error(), Errc::invalid_enrollment_ttl);
  EXPECT_EQ(enroll_again("edge-01").error(), Errc::endpoint_invalid);
  make_service("d.example.com:7443", {{"d.example.com"}, {}});
  EXPECT_EQ(enroll_again("edge-01").error(), Errc::client_not_found);
  EXPECT_EQ(enroll_again("01J00000000000000000000009").error(), Errc::client_not_found);
}

TEST_F(EnrollmentTest, CW_10_2_redeeming_creates_the_client_and_spends_the_code) {
  const auto issued = enroll("edge-01", 600, "edge.example.com").value();
  const auto bundle = redeem(issued);
  ASSERT_TRUE(bundle) << bundle.error().text();
  EXPECT_EQ(bundle->client_name, "edge-01");
  EXPECT_EQ(bundle->client_id.size(), 26U);
  EXPECT_EQ(bundle->server_endpoint, "d.example.com:7443");
  EXPECT_EQ(bundle->server_cert_sha256, std::string(64, 'f'));
  EXPECT_EQ(bundle->server_cert_pem, "PEM TEXT");
  EXPECT_EQ(bundle->token.reveal().size(), 43U);
  EXPECT_FALSE(bundle->rotated_existing);
  EXPECT_EQ(listener_.heard, std::vector<std::string>{"enrolled edge-01"});
  EXPECT_EQ(listener_.last_id, bundle->client_id);

  const auto row = authenticate(bundle->token);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->client_id, bundle->client_id);
  EXPECT_EQ(row->address, "edge.example.com");
  EXPECT_EQ(row->token_hash, crypto::sha256_hex(bundle->token.reveal()));
  EXPECT_EQ(log_.count("client.enrollment_redeemed",
                       {"\"client_name\":\"edge-01\"", "\"rotated_existing\":false"}),
            1U);
  EXPECT_EQ(redeem(issued).error(), Errc::enrollment_used);
}

TEST_F(EnrollmentTest, CW_10_2_errors_in_order) {
  const auto old = enroll("edge-01").value();
  const auto newer = enroll("edge-01").value();
  EXPECT_EQ(io_.run(service_->redeem("")).error(), Errc::enrollment_invalid);
  EXPECT_EQ(io_.run(service_->redeem(std::string(257, 'a'))).error(), Errc::enrollment_invalid);
  EXPECT_EQ(io_.run(service_->redeem("unknown")).error(), Errc::enrollment_invalid);
  EXPECT_EQ(redeem(old).error(), Errc::enrollment_used);  // superseded
  clock_.advance(std::chrono::seconds(600));
  EXPECT_EQ(redeem(old).error(), Errc::enrollment_used);  // before expired
  EXPECT_EQ(redeem(newer).error(), Errc::enrollment_expired);
  EXPECT_EQ(log_.count("client.enrollment_failed"), 0U);
  EXPECT_TRUE(listener_.heard.empty());
}

TEST_F(EnrollmentTest, CW_10_2_expiry_at_the_instant) {
  const auto issued = enroll("edge-01", 10).value();
  clock_.advance(std::chrono::seconds(10));
  EXPECT_EQ(redeem(issued).error(), Errc::enrollment_expired);
  clock_.step_wall(-std::chrono::microseconds(1));
  EXPECT_TRUE(redeem(issued));  // an expired code is not consumed
}

TEST_F(EnrollmentTest, CW_10_2_an_unresolvable_endpoint_keeps_the_code) {
  const auto issued = enroll("edge-01").value();
  ASSERT_TRUE(store_->write_now([](store::Connection& c) -> Result<> {
    c.run_script("UPDATE enrollments SET endpoint = NULL");
    return {};
  }));
  make_service("d.example.com", {});
  EXPECT_EQ(redeem(issued).error(), Errc::endpoint_invalid);
  make_service("d.example.com:7443", {});
  EXPECT_EQ(redeem(issued).error(), Errc::endpoint_not_in_cert_san);
  EXPECT_EQ(log_.count("client.enrollment_failed"), 2U);
  EXPECT_TRUE(io_.run(service_->list())->empty());
  make_service("d.example.com:8443", {{"d.example.com"}, {}});
  EXPECT_EQ(redeem(issued)->server_endpoint, "d.example.com:8443");
}

TEST_F(EnrollmentTest, CW_10_2_the_endpoint_is_frozen_at_creation) {
  const auto issued = enroll("edge-01").value();
  make_service("elsewhere.example.com:1", {{"elsewhere.example.com"}, {}});
  EXPECT_EQ(redeem(issued)->server_endpoint, "d.example.com:7443");
}

TEST_F(EnrollmentTest, CW_10_2_a_store_failure_is_logged_and_spends_nothing) {
  const auto issued = enroll("edge-01").value();
  store_->close();
  EXPECT_EQ(redeem(issued).error(), store::Errc::closed);
  EXPECT_EQ(log_.count("client.enrollment_failed", {"\"level\":\"WARN\""}), 1U);
  store_ = store::Store::open({.path = dir_ / "state.db"}).value();
  make_service("d.example.com:7443", {{"d.example.com"}, {}});
  EXPECT_TRUE(redeem(issued));
}

TEST_F(EnrollmentTest, CW_10_2_re_enrollment_rotates_the_token_and_cuts_the_session) {
  const auto first = redeem(enroll("edge-01", 600, "a.example").value()).value();
  connect(first.client_id);
  clock_.advance(std::chrono::hours(1));
  const auto issued = enroll_again(first.client_id).value();
  EXPECT_EQ(issued.client_name, "edge-01");
  EXPECT_EQ(log_.count("audit.client_reenrollment_created"), 1U);
  EXPECT_TRUE(authenticate(first.token));  // good until the code is redeemed

  const auto second = redeem(issued).value();
  EXPECT_TRUE(second.rotated_existing);
  EXPECT_EQ(second.client_id, first.client_id);
  EXPECT_EQ(authenticate(first.token).error(), Errc::token_not_found);
  const auto row = authenticate(second.token).value();
  EXPECT_EQ(row.address, "a.example");
  EXPECT_EQ(row.provisioned_at, clock_.now());
  ASSERT_EQ(sessions_.ended.size(), 1U);
  EXPECT_EQ(sessions_.ended[0], std::pair(first.client_id, std::string("credential_rotated")));
  EXPECT_EQ(log_.count("client.enrollment_rotated", {"\"disconnected\":true"}), 1U);
  EXPECT_EQ(log_.count("client.enrollment_redeemed", {"\"rotated_existing\":true"}), 1U);
  EXPECT_EQ(listener_.heard.size(), 1U);
}

TEST_F(EnrollmentTest, CW_10_2_re_enrollment_lifts_a_revocation) {
  const auto first = provision("edge-01");
  ASSERT_TRUE(io_.run(service_->revoke("edge-01")));
  const auto second = redeem(enroll_again("edge-01").value()).value();
  EXPECT_TRUE(authenticate(second.token));
  EXPECT_EQ(authenticate(first.token).error(), Errc::token_not_found);
}

TEST_F(EnrollmentTest, a_lost_answer_leaves_the_code_spent_and_a_new_one_works) {
  const auto issued = enroll("edge-01").value();
  const auto lost = redeem(issued).value();
  EXPECT_EQ(redeem(issued).error(), Errc::enrollment_used);
  const auto again = redeem(enroll_again("edge-01").value()).value();
  EXPECT_EQ(again.client_id, lost.client_id);
}

TEST_F(EnrollmentTest, rules_of_the_bare_name_bind_at_the_first_enrollment) {
  ASSERT_TRUE(store_->write_now([&](store::Connection& c) -> Result<> {
    c.run_script(
        "INSERT INTO users (user_id, display_name, role, disabled, created_at) "
        "VALUES ('root', 'R', 'superadmin', 0, 0)");
    store::RuleRow row;
    row.spec.listen_port = 80;
    row.spec.targets = {{"10.0.0.5", 80}};
    row.spec.owner_id = "root";
    row.client_name = "edge-01";
    if (const auto id = store::insert_rule(c, row); !id) return fail(id.error());
    return {};
  }));
  const auto bundle = provision("edge-01");
  const auto rules =
      store_->read_now([](store::Connection& c) { return store::list_rules(c); }).value();
  EXPECT_EQ(rules.front().client_id, bundle.client_id);
}

TEST_F(EnrollmentTest, no_code_or_token_reaches_the_log) {
  const auto issued = enroll("edge-01").value();
  const auto bundle = redeem(issued).value();
  (void)redeem(issued);
  (void)authenticate(bundle.token);
  for (const std::string& line : log_.lines()) {
    EXPECT_FALSE(line.contains(code_of(issued))) << line;
    EXPECT_FALSE(line.contains(bundle.token.reveal())) << line;
  }
}

}  // namespace
}  // namespace portunus::server::auth
