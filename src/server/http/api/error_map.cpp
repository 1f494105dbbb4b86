#include "server/http/api/error_map.hpp"

namespace portunus::server::http::api {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "api"; }
  std::string message(int value) const override {
    return std::string(row(static_cast<Errc>(value)).code);
  }
};

/// Whether an error's detail is written for the operator. Details of the store and of the system
/// are for the log.
bool shows_detail(const std::error_category& owner) {
  return owner == category() || owner == auth::category() || owner == rules::category() ||
         owner == owner_caps::category() || owner == quotas::category() ||
         owner == traffic::category() || owner == audit::category() ||
         owner == web_auth::category() || owner == people::category();
}

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

ErrorRow row(Errc e) {
  switch (e) {
    case Errc::not_found:
      return {404, "not_found", "no such route"};
    case Errc::method_not_allowed:
      return {405, "method_not_allowed", "the path does not have this method"};
    case Errc::unsupported_media_type:
      return {415, "unsupported_media_type", "the body must be application/json"};
    case Errc::payload_too_large:
      return {413, "payload_too_large", "the body is over 2 MiB"};
    case Errc::invalid_json:
      return {400, "invalid_json", "the body is not JSON"};
    case Errc::invalid_body:
      return {422, "invalid_body", "the body has the wrong shape"};
    case Errc::invalid_query:
      return {400, "invalid_query", "the query string is not usable"};
    case Errc::invalid_path:
      return {400, "invalid_path", "the rule id is not an unsigned integer"};
    case Errc::csrf_origin_required:
      return {403, "csrf_origin_required", "a session needs the Origin header to change anything"};
    case Errc::csrf_origin_mismatch:
      return {403, "csrf_origin_mismatch", "the Origin header names another site"};
    case Errc::csrf_header_required:
      return {403, "csrf_header_required", "a session needs the header X-Portunus-CSRF: 1"};
    case Errc::csrf_content_type_required:
      return {403, "csrf_content_type_required", "the body of a session must be application/json"};
    case Errc::password_change_required:
      return {403, "password_change_required", "change the password first"};
    case Errc::internal:
      return {500, "internal", "internal"};
  }
  return {};
}

ErrorRow row(http::Errc e) {
  switch (e) {
    case http::Errc::body_too_large:
      return row(Errc::payload_too_large);
    case http::Errc::body_malformed:
    case http::Errc::body_timeout:
      return row(Errc::invalid_json);
    case http::Errc::bodies_too_large:
      return {503, "server_busy", "too many large requests at once"};
  }
  return {};
}

ErrorRow row(auth::Errc e) {
  switch (e) {
    case auth::Errc::bootstrap_required:
      return {503, "bootstrap_required", "no enabled superadmin exists"};
    case auth::Errc::unauthenticated:
      return {401, "unauthenticated", "a bearer token is needed"};
    case auth::Errc::credential_invalid:
      return {401, "credential_invalid", "the credential is unknown, expired or revoked"};
    case auth::Errc::user_disabled:
      return {401, "user_disabled", "the user is disabled"};
    case auth::Errc::role_required:
      return {403, "role_required", "only a superadmin may do this"};
    case auth::Errc::not_owner:
      return {403, "not_owner", "it belongs to another user"};
    case auth::Errc::already_bootstrapped:
      return {409, "already_bootstrapped", "a superadmin already exists"};
    case auth::Errc::invalid_display_name:
      return {422, "invalid_display_name", "a display name has 1 to 64 bytes"};
    case auth::Errc::password_too_short:
      return {422, "password_too_short", "a password has at least 12 characters"};
    case auth::Errc::password_too_long:
      return {422, "password_too_long", "a password has at most 1024 bytes"};
    case auth::Errc::password_hash_failed:
      return {500, "password_hash_failed", "the password could not be hashed"};
    case auth::Errc::invalid_name:
      return {400, "invalid_name", "not a client name"};
    case auth::Errc::invalid_client_address:
      return {400, "invalid_client_address", "an address is a bare IP or host name"};
    case auth::Errc::invalid_enrollment_ttl:
      return {400, "invalid_enrollment_ttl", "ttl_secs is 1 to 86400"};
    case auth::Errc::client_already_exists:
      return {409, "client_already_exists", "a client of that name exists"};
    case auth::Errc::client_not_found:
      return {404, "client_not_found", "no such client"};
    case auth::Errc::client_not_revoked:
      return {409, "client_not_revoked", "revoke the client first"};
    case auth::Errc::endpoint_invalid:
      return {422, "endpoint_invalid", "the advertised endpoint is not host:port"};
    case auth::Errc::endpoint_not_in_cert_san:
      return {422, "endpoint_not_in_cert_san",
              "the server certificate does not cover the advertised endpoint"};
    case auth::Errc::password_queue_full:
      return {429, "rate_limited", "too many passwords wait to be checked, seconds to wait"};
    // Answers of the control channel; no route asks for them.
    case auth::Errc::enrollment_invalid:
    case auth::Errc::enrollment_used:
    case auth::Errc::enrollment_expired:
    case auth::Errc::missing_token:
    case auth::Errc::malformed_token:
    case auth::Errc::token_not_found:
    case auth::Errc::token_revoked:
      return {500, "internal", "internal"};
  }
  return {};
}

ErrorRow row(web_auth::Errc e) {
  switch (e) {
    case web_auth::Errc::invalid_login:
      return {401, "invalid_login", "the user id or the password is wrong"};
    case web_auth::Errc::rate_limited:
      return {429, "rate_limited", "too many failed attempts, seconds to wait"};
    case web_auth::Errc::setup_token_required:
      return {401, "setup_token_required", "the setup token is needed"};
    case web_auth::Errc::setup_token_invalid:
      return {401, "setup_token_invalid", "the setup token is wrong or has expired"};
    case web_auth::Errc::invalid_user_id:
      return {422, "invalid_user_id", "not a user id"};
    case web_auth::Errc::reserved_user_id:
      return {422, "reserved_user_id", "ids that begin with _ are reserved"};
    case web_auth::Errc::password_mismatch:
      return {422, "password_mismatch", "the password and its confirmation differ"};
    case web_auth::Errc::user_already_exists:
      return {409, "user_already_exists", "a user of that id exists"};
    case web_auth::Errc::user_not_found:
      return {404, "user_not_found", "no such user"};
  }
  return {};
}

ErrorRow row(rules::Errc e) {
  switch (e) {
    case rules::Errc::invalid_name:
      return {400, "invalid_name", "not a client name"};
    case rules::Errc::invalid_protocol:
      return {400, "invalid_protocol", "the protocol is tcp or udp"};
    case rules::Errc::range_invalid:
      return {400, "range_invalid", "not a port range"};
    case rules::Errc::exceeds_cap:
      return {400, "exceeds_cap", "the range has too many ports"};
    case rules::Errc::rule_shape_missing:
      return {400, "rule_shape_missing", "target_host and target_port, or targets"};
    case rules::Errc::rule_shape_conflict:
      return {400, "rule_shape_conflict", "target_host and target_port exclude targets"};
    case rules::Errc::invalid_target_host:
      return {400, "invalid_target_host", "a target host is an IPv4, [IPv6] or a host name"};
    case rules::Errc::invalid_target_host_too_long:
      return {400, "invalid_target_host_too_long", "a host name has at most 253 characters"};
    case rules::Errc::invalid_target_host_label_too_long:
      return {400, "invalid_target_host_label_too_long", "a label has at most 63 characters"};
    case rules::Errc::invalid_target_host_label_hyphen:
      return {400, "invalid_target_host_label_hyphen", "a label has no hyphen at its edges"};
    case rules::Errc::targets_empty:
      return {400, "targets_empty", "a list has 1 to 8 targets"};
    case rules::Errc::targets_too_many:
      return {400, "targets_too_many", "a list has 1 to 8 targets"};
    case rules::Errc::targets_duplicate:
      return {400, "targets_duplicate", "a target is listed twice"};
    case rules::Errc::target_invalid_host:
      return {400, "target_invalid_host", "a target host is an IPv4, [IPv6] or a host name"};
    case rules::Errc::target_invalid_port:
      return {400, "target_invalid_port", "a target port is 1 to 65535"};
    case rules::Errc::health_check_interval_out_of_range:
      return {400, "health_check_interval_out_of_range", "the interval is 1 to 3600 seconds"};
    case rules::Errc::sni_on_unsupported_rule:
      return {400, "validation.sni_on_unsupported_rule",
              "sni_pattern needs a TCP rule of one port"};
    case rules::Errc::sni_pattern_malformed:
      return {400, "validation.sni_pattern_malformed", "a pattern is a host name or *. and one"};
    case rules::Errc::proxy_protocol_invalid:
      return {400, "validation.proxy_protocol_invalid", "proxy_protocol is v1 or v2"};
    case rules::Errc::proxy_protocol_on_unsupported_rule:
      return {400, "validation.proxy_protocol_on_unsupported_rule",
              "proxy_protocol needs a TCP rule"};
    case rules::Errc::rate_limit_burst_unsupported:
      return {400, "validation.rate_limit_burst_unsupported",
              "concurrent_connections_burst is reserved"};
    case rules::Errc::rate_limit_cap_zero:
      return {400, "validation.rate_limit_cap_zero", "a cap is at least 1"};
    case rules::Errc::rate_limit_burst_without_rate:
      return {400, "validation.rate_limit_burst_without_rate", "a burst needs its rate"};
    case rules::Errc::rate_limit_burst_range:
      return {400, "validation.rate_limit_burst_range", "a burst is rate / 100 to rate * 60"};
    case rules::Errc::rate_limit_on_legacy_shape:
      return {400, "validation.rate_limit_on_legacy_shape", "rate_limit goes with targets only"};
    case rules::Errc::rule_update_shape_mismatch:
      return {400, "validation.rule_update_shape_mismatch", "only rate_limit can be changed"};
    case rules::Errc::client_not_connected:
      return {422, "client_not_connected", "the client has no live session"};
    case rules::Errc::client_lost:
      return {422, "client_not_connected", "the change is stored; the client has no live session"};
    case rules::Errc::client_not_found:
      return {404, "client_not_found", "no such client"};
    case rules::Errc::client_not_granted:
      return {403, "client_not_granted", "no grant covers the client"};
    case rules::Errc::protocol_not_granted:
      return {403, "protocol_not_granted", "no grant for the client has the protocol"};
    case rules::Errc::port_outside_grant:
      return {403, "port_outside_grant", "no grant covers the whole listen range"};
    case rules::Errc::unsupported_protocol:
      return {422, "unsupported_protocol", "the client does not forward UDP"};
    case rules::Errc::multi_target_unsupported_by_client:
      return {422, "multi_target_unsupported_by_client", "the client is older than 0.7"};
    case rules::Errc::sni_unsupported_by_client:
      return {422, "sni_unsupported_by_client", "the client is older than 0.9"};
    case rules::Errc::proxy_protocol_unsupported_by_client:
      return {422, "proxy_protocol_unsupported_by_client",
              "the client is older than 0.10, or unknown"};
    case rules::Errc::rate_limit_unsupported_by_client:
      return {422, "rate_limit_unsupported_by_client", "the client is older than 0.11, or unknown"};
    case rules::Errc::port_in_use:
      return {409, "port_in_use", "port already in use"};
    case rules::Errc::sni_route_duplicate:
      return {409, "conflict.sni_route_duplicate", "the port has a rule for that pattern"};
    case rules::Errc::sni_fallback_duplicate:
      return {409, "conflict.sni_fallback_duplicate", "the port has a rule for all other names"};
    case rules::Errc::legacy_to_sni_unsupported:
      return {409, "conflict.legacy_to_sni_unsupported", "the port has a rule without a pattern"};
    case rules::Errc::activation_failed:
      return {422, "activation_failed", "unspecified"};
    case rules::Errc::ack_timeout:
      return {504, "ack_timeout", "the client did not answer in time"};
    case rules::Errc::rule_not_found:
      return {404, "rule_not_found", "no such rule, or no report about it yet"};
    case rules::Errc::not_owner:
      return {403, "not_owner", "the rule belongs to another user"};
  }
  return {};
}

ErrorRow row(owner_caps::Errc e) {
  switch (e) {
    case owner_caps::Errc::client_name_invalid:
      return {400, "validation.client_name_invalid", "not a client name"};
    case owner_caps::Errc::client_not_found:
      return {404, "client_not_found", "no such client"};
    case owner_caps::Errc::invalid_user_id:
      return {422, "invalid_user_id", "not a user id"};
    case owner_caps::Errc::burst_unsupported:
      return {400, "validation.rate_limit_burst_unsupported",
              "concurrent_connections_burst is reserved"};
    case owner_caps::Errc::cap_zero:
      return {400, "validation.rate_limit_cap_zero", "a cap is at least 1"};
    case owner_caps::Errc::burst_without_rate:
      return {400, "validation.rate_limit_burst_without_rate", "a burst needs its rate"};
    case owner_caps::Errc::burst_range:
      return {400, "validation.rate_limit_burst_range", "a burst is rate / 100 to rate * 60"};
    case owner_caps::Errc::unsupported_by_client:
      return {422, "rate_limit_unsupported_by_client",
              "the client is offline, older than 0.11, or unknown"};
    case owner_caps::Errc::owner_rate_limit_not_found:
      return {404, "owner_rate_limit_not_found", "the owner has no caps on that client"};
  }
  return {};
}

ErrorRow row(quotas::Errc e) {
  switch (e) {
    case quotas::Errc::invalid_quota_size:
      return {400, "invalid_quota_size", "monthly_bytes is 0 to 9223372036854775807"};
    case quotas::Errc::invalid_client_name:
      return {400, "invalid_client_name", "not a client name"};
    case quotas::Errc::client_not_found:
      return {404, "client_not_found", "no such client"};
    case quotas::Errc::quota_target_not_found:
      return {422, "quota_target_not_found", "no grant of the user covers the client"};
    case quotas::Errc::quota_unsupported_by_client:
      return {422, "quota_unsupported_by_client", "the client is older than 1.4, or unknown"};
    case quotas::Errc::invalid_billing_anchor:
      return {400, "invalid_billing_anchor", "not an instant of the years 0000 to 9999"};
    case quotas::Errc::billing_anchor_immutable:
      return {409, "billing_anchor_immutable",
              "the quota has another anchor: delete and create it anew"};
    case quotas::Errc::quota_not_found:
      return {404, "quota_not_found", "the user has no quota on that client"};
  }
  return {};
}

ErrorRow row(people::Errc e) {
  switch (e) {
    case people::Errc::invalid_user_id:
      return {422, "invalid_user_id", "a user id is a letter and up to 31 of a-z, 0-9, _ and -"};
    case people::Errc::reserved_user_id:
      return {422, "reserved_user_id", "ids that begin with _ are reserved"};
    case people::Errc::invalid_display_name:
      return {422, "invalid_display_name", "a display name has 1 to 64 bytes"};
    case people::Errc::unknown_role:
      return {403, "role_required", "no such role"};
    case people::Errc::initial_password_required:
      return {422, "initial_password_required", "password_change_required needs initial_password"};
    case people::Errc::user_already_exists:
      return {409, "user_already_exists", "a user of that id exists"};
    case people::Errc::user_not_found:
      return {404, "user_not_found", "no such user"};
    case people::Errc::cannot_remove_self:
      return {409, "cannot_remove_self", "nobody removes themselves"};
    case people::Errc::last_superadmin:
      return {409, "last_superadmin", "no other enabled superadmin would be left"};
    case people::Errc::credential_not_found:
      return {404, "credential_not_found", "the user has no such credential"};
    case people::Errc::invalid_client:
      return {422, "invalid_client", "a grant is for *, a client name or a client id"};
    case people::Errc::client_not_found:
      return {404, "client_not_found", "no such client"};
    case people::Errc::invalid_port_range:
      return {422, "invalid_port_range", "a port range begins at 1 and does not end before it"};
    case people::Errc::empty_protocol_set:
      return {422, "empty_protocol_set", "protocols is tcp, udp or both"};
    case people::Errc::grant_not_found:
      return {404, "grant_not_found", "no such grant"};
  }
  return {};
}

ErrorRow row(traffic::Errc e) {
  switch (e) {
    case traffic::Errc::invalid_client_name:
      return {400, "invalid_client_name", "not a client name"};
    case traffic::Errc::client_not_found:
      return {404, "client_not_found", "no such client"};
    case traffic::Errc::invalid_time_range:
      return {400, "invalid_time_range", "from is at least 0, and to is greater than from"};
    case traffic::Errc::invalid_bucket:
      return {400, "invalid_bucket", "the bucket is 1m or 1h"};
    case traffic::Errc::quota_bucket_out_of_retention:
      return {422, "quota_bucket_out_of_retention", "from is older than the bucket is kept"};
    case traffic::Errc::traffic_too_many_rows:
      return {422, "traffic_too_many_rows", "more than 10000 samples: narrow the range"};
  }
  return {};
}

ErrorRow row(audit::Errc e) {
  switch (e) {
    case audit::Errc::invalid_limit:
      return {422, "invalid_limit", "limit is 1 to 1000"};
    case audit::Errc::invalid_outcome:
      return {422, "invalid_outcome", "outcome is allow or deny"};
    case audit::Errc::invalid_timestamp:
      return {400, "invalid_timestamp", "not an RFC 3339 time"};
    case audit::Errc::invalid_time_range:
      return {400, "invalid_time_range", "since is after until"};
    case audit::Errc::invalid_cursor:
      return {400, "invalid_cursor", "not a cursor of an earlier answer"};
  }
  return {};
}

ErrorRow row(store::Errc e) {
  switch (e) {
    case store::Errc::busy:
    case store::Errc::constraint:
    case store::Errc::not_a_database:
    case store::Errc::schema_too_new:
    case store::Errc::migration_failed:
    case store::Errc::in_use:
    case store::Errc::io:
    case store::Errc::closed:
    case store::Errc::source_not_found:
    case store::Errc::destination_exists:
    case store::Errc::destination_not_empty:
    case store::Errc::not_sqlite:
    case store::Errc::backup_too_new:
      return {500, "store_error", "store_error"};
  }
  return {};
}

ErrorRow describe(const std::error_code& code) {
  const int value = code.value();
  ErrorRow found;
  if (code.category() == category()) {
    found = row(static_cast<Errc>(value));
  } else if (code.category() == http::category()) {
    found = row(static_cast<http::Errc>(value));
  } else if (code.category() == auth::category()) {
    found = row(static_cast<auth::Errc>(value));
  } else if (code.category() == web_auth::category()) {
    found = row(static_cast<web_auth::Errc>(value));
  } else if (code.category() == rules::category()) {
    found = row(static_cast<rules::Errc>(value));
  } else if (code.category() == owner_caps::category()) {
    found = row(static_cast<owner_caps::Errc>(value));
  } else if (code.category() == quotas::category()) {
    found = row(static_cast<quotas::Errc>(value));
  } else if (code.category() == people::category()) {
    found = row(static_cast<people::Errc>(value));
  } else if (code.category() == traffic::category()) {
    found = row(static_cast<traffic::Errc>(value));
  } else if (code.category() == audit::category()) {
    found = row(static_cast<audit::Errc>(value));
  } else if (code.category() == store::category()) {
    found = row(static_cast<store::Errc>(value));
  }
  if (found.meaning.empty()) found.meaning = found.code;
  return found;
}

std::string message(const Error& error) {
  const ErrorRow known = describe(error.code);
  const bool of_rules = error.code.category() == rules::category();
  std::string text = of_rules ? std::string(known.code) + ": " : std::string();
  if (error.detail.empty() || known.status == 500 || !shows_detail(error.code.category())) {
    return text.append(known.meaning);
  }
  // A rule's detail replaces the meaning ("port_in_use: port 18080 already in use"); elsewhere it
  // says which part of the request is meant.
  if (!of_rules) text.append(known.meaning).append(": ");
  return text.append(error.detail);
}

Response to_response(const Error& error) {
  const ErrorRow known = describe(error.code);
  Response response = error_envelope(known.status, known.code, message(error));
  // These errors have the seconds as their detail.
  if (known.status == 429 || error.code == http::Errc::bodies_too_large)
    response.headers.push_back({"Retry-After", error.detail});
  return response;
}

}  // namespace portunus::server::http::api
