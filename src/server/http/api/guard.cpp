#include "server/http/api/guard.hpp"

#include <utility>
#include <vector>

#include "common/log/logger.hpp"
#include "server/auth/errc.hpp"
#include "server/http/api/audit_trail.hpp"
#include "server/http/api/error_map.hpp"
#include "server/http/api/model_json.hpp"
#include "server/store/errc.hpp"

namespace portunus::server::http::api {
namespace {

/// True when a Cookie header names the session cookie, whatever its value.
bool sends_session_cookie(const Request& request) {
  constexpr std::string_view kName = "portunus_session=";
  for (const Header& header : request.headers) {
    if (!equal_ignoring_case(header.name, "cookie")) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      while (rest.starts_with(' ') || rest.starts_with(';')) rest.remove_prefix(1);
      if (rest.starts_with(kName)) return true;
      const std::size_t next = rest.find(';');
      rest.remove_prefix(next == std::string_view::npos ? rest.size() : next);
    }
  }
  return false;
}

/// "bearer", "cookie", or empty when the request shows neither.
std::string_view auth_method(const Request& request) {
  if (sends_session_cookie(request)) return "cookie";
  return request.header("authorization") ? "bearer" : "";
}

}  // namespace

async::Task<Result<auth::Identity>> Guard::authenticate(const Request& request) {
  if (!sends_session_cookie(request)) {
    co_return co_await bearer_.authenticate(request.header("authorization"));
  }
  Result<auth::Identity> nobody = co_await bearer_.authenticate(std::nullopt);
  if (!nobody && nobody.error() == make_error_code(auth::Errc::unauthenticated)) {
    co_return fail(auth::Errc::credential_invalid);
  }
  co_return nobody;
}

void Guard::record(const Request& request, const Result<auth::Identity>& who, const Error* error) {
  const ErrorRow answer = error == nullptr ? ErrorRow{200, "ok", ""} : describe(error->code);
  if (error != nullptr && error->code.category() == store::category()) {
    log::log(log::Event::operator_store_error, {{"error", error->text()}});
  }
  if (auto entry = request_entry(request, who ? &*who : nullptr, error)) {
    audit_.record(std::move(*entry));
  }
  const std::string_view method = auth_method(request);
  const std::string_view actor = who ? std::string_view(who->user_id) : "_anonymous";
  if (!who || answer.denies()) {
    requests_.count("deny", answer.code);
    std::vector<log::Field> fields = {{"actor", actor},
                                      {"method", request.method_text},
                                      {"path", request.path},
                                      {"outcome", "deny"},
                                      {"reason", answer.code}};
    if (!method.empty()) fields.push_back({"auth_method", method});
    log::log_fields(log::Level::warn, log::Event::operator_deny, fields);
    return;
  }
  requests_.count("allow", "ok");
  const bool read = request.method == Method::get || request.method == Method::head;
  log::log_at(read && error == nullptr ? log::Level::debug : log::Level::info,
              log::Event::operator_allow,
              {{"actor", actor},
               {"role", role_name(who->role)},
               {"method", request.method_text},
               {"path", request.path},
               {"outcome", "allow"},
               {"auth_method", method}});
}

Result<> require_superadmin(const auth::Identity& who) {
  if (who.role != store::Role::superadmin) return fail(auth::Errc::role_required);
  return {};
}

Result<> require_self(const auth::Identity& who, std::string_view user_id) {
  if (who.role != store::Role::superadmin && who.user_id != user_id) {
    return fail(auth::Errc::not_owner);
  }
  return {};
}

}  // namespace portunus::server::http::api
