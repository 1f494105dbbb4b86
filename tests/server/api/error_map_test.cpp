#include "server/http/api/error_map.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace portunus::server::http::api {
namespace {

/// http-api 15, as far as the routes go that there are.
const std::set<std::string_view> kCodes = {"invalid_json",
                                           "invalid_query",
                                           "invalid_path",
                                           "invalid_name",
                                           "invalid_client_address",
                                           "invalid_enrollment_ttl",
                                           "invalid_protocol",
                                           "invalid_target_host",
                                           "invalid_target_host_too_long",
                                           "invalid_target_host_label_too_long",
                                           "invalid_target_host_label_hyphen",
                                           "range_invalid",
                                           "rule_shape_conflict",
                                           "rule_shape_missing",
                                           "target_invalid_port",
                                           "unauthenticated",
                                           "credential_invalid",
                                           "user_disabled",
                                           "role_required",
                                           "not_owner",
                                           "client_not_granted",
                                           "not_found",
                                           "client_not_found",
                                           "rule_not_found",
                                           "method_not_allowed",
                                           "payload_too_large",
                                           "unsupported_media_type",
                                           "already_bootstrapped",
                                           "client_already_exists",
                                           "client_not_revoked",
                                           "port_in_use",
                                           "invalid_body",
                                           "invalid_display_name",
                                           "client_not_connected",
                                           "activation_failed",
                                           "endpoint_invalid",
                                           "endpoint_not_in_cert_san",
                                           "bootstrap_required",
                                           "server_busy",
                                           "ack_timeout",
                                           "internal",
                                           "store_error",
                                           "exceeds_cap",
                                           "targets_empty",
                                           "targets_too_many",
                                           "targets_duplicate",
                                           "target_invalid_host",
                                           "health_check_interval_out_of_range",
                                           "validation.sni_on_unsupported_rule",
                                           "validation.sni_pattern_malformed",
                                           "validation.proxy_protocol_invalid",
                                           "validation.proxy_protocol_on_unsupported_rule",
                                           "validation.rate_limit_cap_zero",
                                           "validation.rate_limit_burst_without_rate",
                                           "validation.rate_limit_burst_range",
                                           "validation.rate_limit_burst_unsupported",
                                           "validation.rate_limit_on_legacy_shape",
                                           "validation.rule_update_shape_mismatch",
                                           "invalid_time_range",
                                           "invalid_bucket",
                                           "quota_bucket_out_of_retention",
                                           "traffic_too_many_rows",
                                           "conflict.sni_route_duplicate",
                                           "conflict.sni_fallback_duplicate",
                                           "conflict.legacy_to_sni_unsupported",
                                           "unsupported_protocol",
                                           "multi_target_unsupported_by_client",
                                           "sni_unsupported_by_client",
                                           "proxy_protocol_unsupported_by_client",
                                           "rate_limit_unsupported_by_client",
                                           "validation.client_name_invalid",
                                           "invalid_user_id",
                                           "owner_rate_limit_not_found",
                                           "invalid_quota_size",
                                           "invalid_client_name",
                                           "quota_target_not_found",
                                           "quota_unsupported_by_client",
                                           "invalid_billing_anchor",
                                           "billing_anchor_immutable",
                                           "quota_not_found",
                                           "invalid_limit",
                                           "invalid_outcome",
                                           "invalid_timestamp",
                                           "invalid_time_range",
                                           "invalid_cursor",
                                           "csrf_origin_required",
                                           "csrf_origin_mismatch",
                                           "csrf_header_required",
                                           "csrf_content_type_required",
                                           "password_change_required",
                                           "password_too_short",
                                           "password_too_long",
                                           "password_hash_failed",
                                           "invalid_login",
                                           "rate_limited",
                                           "setup_token_required",
                                           "setup_token_invalid",
                                           "reserved_user_id",
                                           "password_mismatch",
                                           "user_already_exists",
                                           "user_not_found",
                                           "protocol_not_granted",
                                           "port_outside_grant",
                                           "initial_password_required",
                                           "cannot_remove_self",
                                           "last_superadmin",
                                           "credential_not_found",
                                           "invalid_client",
                                           "invalid_port_range",
                                           "empty_protocol_set",
                                           "grant_not_found"};

/// Every enumerator counts up from 1; the first value past the last one has no row.
template <class E>
void every_value_has_a_row(int last) {
  for (int value = 1; value <= last; ++value) {
    const ErrorRow found = row(static_cast<E>(value));
    EXPECT_TRUE(kCodes.contains(found.code)) << found.code << " of value " << value;
    EXPECT_FALSE(found.meaning.empty()) << value;
    EXPECT_TRUE(found.status >= 400 && found.status < 600) << value;
  }
  EXPECT_TRUE(row(static_cast<E>(last + 1)).meaning.empty()) << "one more than " << last;
}

TEST(ErrorMapTest, EveryErrcHasARow) {
  every_value_has_a_row<Errc>(static_cast<int>(Errc::internal));
  every_value_has_a_row<http::Errc>(static_cast<int>(http::Errc::bodies_too_large));
  every_value_has_a_row<auth::Errc>(static_cast<int>(auth::Errc::password_queue_full));
  every_value_has_a_row<web_auth::Errc>(static_cast<int>(web_auth::Errc::user_not_found));
  every_value_has_a_row<rules::Errc>(static_cast<int>(rules::Errc::not_owner));
  every_value_has_a_row<owner_caps::Errc>(
      static_cast<int>(owner_caps::Errc::owner_rate_limit_not_found));
  every_value_has_a_row<quotas::Errc>(static_cast<int>(quotas::Errc::quota_not_found));
  every_value_has_a_row<people::Errc>(static_cast<int>(people::Errc::grant_not_found));
  every_value_has_a_row<traffic::Errc>(static_cast<int>(traffic::Errc::traffic_too_many_rows));
  every_value_has_a_row<audit::Errc>(static_cast<int>(audit::Errc::invalid_cursor));
  every_value_has_a_row<store::Errc>(static_cast<int>(store::Errc::backup_too_new));
}

TEST(ErrorMapTest, DomainCodesKeepTheirNames) {
  for (int value = 1; value <= static_cast<int>(auth::Errc::endpoint_not_in_cert_san); ++value) {
    const auto e = static_cast<auth::Errc>(value);
    EXPECT_EQ(row(e).code, make_error_code(e).message());
  }
  for (int value = 1; value <= static_cast<int>(web_auth::Errc::user_not_found); ++value) {
    const auto e = static_cast<web_auth::Errc>(value);
    EXPECT_EQ(row(e).code, make_error_code(e).message());
  }
  for (int value = 1; value <= static_cast<int>(rules::Errc::not_owner); ++value) {
    const auto e = static_cast<rules::Errc>(value);
    EXPECT_EQ(row(e).code, make_error_code(e).message());
  }
  for (int value = 1; value <= static_cast<int>(owner_caps::Errc::owner_rate_limit_not_found);
       ++value) {
    const auto e = static_cast<owner_caps::Errc>(value);
    EXPECT_EQ(row(e).code, make_error_code(e).message());
  }
  for (int value = 1; value <= static_cast<int>(quotas::Errc::quota_not_found); ++value) {
    const auto e = static_cast<quotas::Errc>(value);
    EXPECT_EQ(row(e).code, make_error_code(e).message());
  }
  for (int value = 1; value <= static_cast<int>(traffic::Errc::traffic_too_many_rows); ++value) {
    const auto e = static_cast<traffic::Errc>(value);
    EXPECT_EQ(row(e).code, make_error_code(e).message());
  }
  for (int value = 1; value <= static_cast<int>(audit::Errc::invalid_cursor); ++value) {
    const auto e = static_cast<audit::Errc>(value);
    EXPECT_EQ(row(e).code, make_error_code(e).message());
  }
}

TEST(ErrorMapTest, StatusesAreTheContracts) {
  EXPECT_EQ(row(rules::Errc::exceeds_cap).status, 400U);
  EXPECT_EQ(row(rules::Errc::ack_timeout).status, 504U);
  EXPECT_EQ(row(auth::Errc::bootstrap_required).status, 503U);
  EXPECT_EQ(row(auth::Errc::client_not_revoked).status, 409U);
  EXPECT_EQ(row(auth::Errc::endpoint_invalid).status, 422U);
  EXPECT_EQ(row(Errc::unsupported_media_type).status, 415U);
  EXPECT_EQ(row(http::Errc::body_too_large).status, 413U);
}

TEST(ErrorMapTest, Only401And403And503AreDenials) {
  EXPECT_TRUE(row(auth::Errc::unauthenticated).denies());
  EXPECT_TRUE(row(auth::Errc::role_required).denies());
  EXPECT_TRUE(row(auth::Errc::bootstrap_required).denies());
  EXPECT_FALSE(row(auth::Errc::client_not_found).denies());
  EXPECT_FALSE(row(store::Errc::io).denies());
}

TEST(ErrorMapTest, RuleMessagesBeginWithTheirCode) {
  EXPECT_EQ(message({rules::Errc::port_in_use, "port 18080 already in use"}),
            "port_in_use: port 18080 already in use");
  EXPECT_EQ(message({rules::Errc::activation_failed, "port_in_use:30001"}),
            "activation_failed: port_in_use:30001");
  EXPECT_EQ(message(rules::Errc::not_owner), "not_owner: the rule belongs to another user");
  EXPECT_EQ(message(rules::Errc::sni_unsupported_by_client),
            "sni_unsupported_by_client: the client is older than 0.9");
}

TEST(ErrorMapTest, HTTP_3_5_who_is_to_wait_is_told_how_long) {
  for (const Error& error :
       {Error(web_auth::Errc::rate_limited, "42"), Error(auth::Errc::password_queue_full, "42")}) {
    const Response refusal = to_response(error);
    EXPECT_EQ(refusal.status, 429U);
    EXPECT_EQ(refusal.header("retry-after"), "42");
    EXPECT_EQ(nlohmann::json::parse(refusal.body)["error"]["code"], "rate_limited");
  }
  EXPECT_EQ(to_response(web_auth::Errc::invalid_login).header("retry-after"), std::nullopt);
}

TEST(ErrorMapTest, HTTP_1_a_body_without_room_may_be_sent_again) {
  const Response refusal = to_response({http::Errc::bodies_too_large, "1"});
  EXPECT_EQ(refusal.status, 503U);
  EXPECT_EQ(refusal.header("retry-after"), "1");
  const auto body = nlohmann::json::parse(refusal.body);
  EXPECT_EQ(body["error"]["code"], "server_busy");
  EXPECT_EQ(body["error"]["message"], "too many large requests at once");
  EXPECT_EQ(to_response(auth::Errc::bootstrap_required).header("retry-after"), std::nullopt);
}

TEST(ErrorMapTest, WhatIsOursIsNotTold) {
  EXPECT_EQ(message({store::Errc::io, "INSERT INTO users … /var/lib/x/state.db"}), "store_error");
  EXPECT_EQ(message(Error(std::make_error_code(std::errc::io_error), "/etc/secret")), "internal");
  EXPECT_EQ(message({auth::Errc::token_revoked, "x"}), "internal");
  EXPECT_EQ(describe(std::make_error_code(std::errc::io_error)).code, "internal");
  EXPECT_EQ(describe(std::error_code(999, rules::category())).code, "internal");
}

TEST(ErrorMapTest, TheEnvelopeCarriesCodeAndMessage) {
  const Response response = to_response({auth::Errc::invalid_name, "Edge 1"});
  EXPECT_EQ(response.status, 400U);
  const auto body = nlohmann::json::parse(response.body);
  EXPECT_EQ(body["error"]["code"], "invalid_name");
  EXPECT_EQ(body["error"]["message"], "not a client name: Edge 1");
}

}  // namespace
}  // namespace portunus::server::http::api
