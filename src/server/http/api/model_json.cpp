#include "server/http/api/model_json.hpp"

#include "server/http/api/json_text.hpp"

namespace portunus::server::http::api {
namespace {

using Json = AnswerJson;

Json to_json(const auth::ClientView& client) {
  const auto& session = client.session;
  return Json{
      {"client_id", client.row.client_id},
      {"client_name", client.row.name},
      {"provisioned_at", format_rfc3339(client.row.provisioned_at)},
      {"revoked_at", time_or_null(client.row.revoked_at)},
      {"connected", session.has_value()},
      {"client_address", text_or_null(client.row.address)},
      {"remote_addr", session ? Json(session->remote_addr) : Json(nullptr)},
      {"connected_at", session ? Json(format_rfc3339(session->connected_at)) : Json(nullptr)},
  };
}

}  // namespace

std::string_view role_name(store::Role role) {
  switch (role) {
    case store::Role::superadmin:
      return "superadmin";
    case store::Role::user:
      return "user";
  }
  return "";
}

std::string identity_json(const auth::Identity& identity) {
  const std::string& shown =
      identity.display_name.empty() ? identity.user_id : identity.display_name;
  return write(Json{
      {"user_id", identity.user_id}, {"role", role_name(identity.role)}, {"display_name", shown}});
}

std::string enrollment_json(const auth::IssuedEnrollment& issued) {
  return write(Json{{"client_name", issued.client_name},
                    {"expires_at", format_rfc3339(issued.expires_at, "+00:00")},
                    {"uri", issued.uri},
                    {"command", issued.command()}});
}

std::string client_json(const auth::ClientView& client) {
  return write(to_json(client));
}

}  // namespace portunus::server::http::api
