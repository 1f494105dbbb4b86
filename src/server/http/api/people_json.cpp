#include "server/http/api/people_json.hpp"

#include <utility>

#include "common/model/rule.hpp"
#include "server/http/api/json_text.hpp"
#include "server/http/api/model_json.hpp"
#include "server/http/api/object_reader.hpp"

namespace portunus::server::http::api {
namespace {

using Json = AnswerJson;

Json to_json(const store::UserSummary& summary) {
  const store::UserRow& user = summary.user;
  return Json{{"user_id", user.user_id},
              {"display_name", user.display_name},
              {"role", role_name(user.role)},
              {"disabled", user.disabled},
              {"created_at", format_rfc3339(user.created_at)},
              {"credential_count", summary.credentials},
              {"grant_count", summary.grants}};
}

Json to_json(const store::CredentialRow& credential) {
  return Json{{"credential_id", credential.credential_id},
              {"user_id", credential.user_id},
              {"label", text_or_null(credential.label)},
              {"created_at", format_rfc3339(credential.created_at)},
              {"last_used_at", time_or_null(credential.last_used_at)},
              {"status", credential.revoked_at ? "revoked" : "active"},
              {"revoked_at", time_or_null(credential.revoked_at)}};
}

Json to_json(const store::GrantRow& grant) {
  Json protocols = Json::array();
  for (const auto protocol : {model::Protocol::tcp, model::Protocol::udp}) {
    if (grant.has(protocol)) protocols.push_back(model::protocol_name(protocol));
  }
  return Json{{"grant_id", grant.grant_id},
              {"user_id", grant.user_id},
              {"client", grant.client ? grant.client->client_name : "*"},
              {"client_id", grant.client ? text_or_null(grant.client->client_id) : Json(nullptr)},
              {"listen_port_start", grant.listen_port_start},
              {"listen_port_end", grant.listen_port_end},
              {"protocols", std::move(protocols)},
              {"note", text_or_null(grant.note)},
              {"created_at", format_rfc3339(grant.created_at)}};
}

}  // namespace

Result<people::NewUser> decode_new_user(std::string_view body) {
  ObjectReader reader(body);
  people::NewUser user;
  user.user_id = reader.required("user_id", reader.text("user_id"));
  user.display_name = reader.required("display_name", reader.text("display_name"));
  user.role = reader.text("role").value_or("user");
  if (auto password = reader.text("initial_password")) {
    user.initial_password = Secret(std::move(*password));
  }
  user.password_change_required = reader.flag("password_change_required").value_or(false);
  return reader.finish(std::move(user));
}

Result<std::optional<std::string>> decode_label(std::string_view body) {
  ObjectReader reader(body);
  return reader.finish(reader.text("label"));
}

Result<people::NewGrant> decode_new_grant(std::string_view body) {
  ObjectReader reader(body);
  const auto port = [&](const char* key) {
    return reader.required(key, reader.integer<std::uint16_t>(key));
  };
  people::NewGrant grant;
  grant.user_id = reader.required("user_id", reader.text("user_id"));
  grant.client = reader.required("client", reader.text("client"));
  grant.listen_port_start = port("listen_port_start");
  grant.listen_port_end = port("listen_port_end");
  grant.protocols = reader.required("protocols", reader.texts("protocols"));
  grant.note = reader.text("note");
  return reader.finish(std::move(grant));
}

std::string user_json(const store::UserSummary& user) {
  return write(to_json(user));
}

std::string new_user_json(const store::UserRow& user) {
  return write(Json{{"user_id", user.user_id},
                    {"display_name", user.display_name},
                    {"role", role_name(user.role)}});
}

std::string removed_user_json(const people::RemovedUser& removed) {
  return write(Json{{"user_id", removed.user_id},
                    {"removed_credential_ids", removed.credential_ids},
                    {"revoked_grant_ids", removed.grant_ids},
                    {"removed_rule_ids", removed.rule_ids}});
}

std::string credential_json(const store::CredentialRow& credential) {
  return write(to_json(credential));
}

std::string issued_credential_json(const people::IssuedCredential& issued) {
  return write(Json{{"credential_id", issued.row.credential_id},
                    {"user_id", issued.row.user_id},
                    {"token", issued.token.reveal()},
                    {"label", text_or_null(issued.row.label)},
                    {"created_at", format_rfc3339(issued.row.created_at)}});
}

std::string grant_json(const store::GrantRow& grant) {
  return write(to_json(grant));
}

std::string revoked_grant_json(const people::RevokedGrant& revoked) {
  return write(Json{{"grant_id", revoked.grant_id}, {"removed_rule_ids", revoked.rule_ids}});
}

}  // namespace portunus::server::http::api
