#include "server/http/api/guard.hpp"

#include <utility>
#include <vector>

#include "common/log/logger.hpp"
#include "server/auth/errc.hpp"
#include "server/http/api/audit_trail.hpp"
#include "server/http/api/errc.hpp"
#include "server/http/api/error_map.hpp"
#include "server/http/api/model_json.hpp"
#include "server/http/api/session_cookie.hpp"
#include "server/store/errc.hpp"

namespace portunus::server::http::api {
namespace {

/// "bearer", "cookie", or empty when the request shows neither.
std::string_view auth_method(const Request& request) {
  if (session_cookie(request)) return "cookie";
  return request.header("authorization") ? "bearer" : "";
}

/// A fault of the store is told to the log alone.
void log_fault(const Error* error) {
  if (error != nullptr && error->code.category() == store::category()) {
    log::log(log::Event::operator_store_error, {{"error", error->text()}});
  }
}

void log_deny(const Request& request, std::string_view actor, std::string_view reason,
              std::string_view method) {
  std::vector<log::Field> fields = {{"actor", actor},
                                    {"method", request.method_text},
                                    {"path", request.path},
                                    {"outcome", "deny"},
                                    {"reason", reason}};
  if (!method.empty()) fields.push_back({"auth_method", method});
  log::log_fields(log::Level::warn, log::Event::operator_deny, fields);
}

}  // namespace

async::Task<Result<auth::Identity>> Guard::authenticate(const Request& request) {
  if (auto cookie = session_cookie(request)) {
    co_return co_await sessions_.verify(std::move(*cookie));
  }
  co_return co_await bearer_.authenticate(request.header("authorization"));
}

Result<> Guard::admit(const Request& request, const auth::Identity& who,
                      bool during_forced_change) const {
  if (!who.session) return {};
  if (may_change(request.method)) {
    if (const auto own = check_csrf(request, origin_); !own) return own;
  }
  if (who.password_change_required && !during_forced_change) {
    return fail(Errc::password_change_required);
  }
  return {};
}

void Guard::record(const Request& request, const Result<auth::Identity>& who, const Error* error) {
  const ErrorRow answer = error == nullptr ? ErrorRow{200, "ok", ""} : describe(error->code);
  log_fault(error);
  if (auto entry = request_entry(request, who ? &*who : nullptr, error)) {
    audit_.record(std::move(*entry));
  }
  if (!who || answer.denies()) {
    requests_.count("deny", answer.code);
    log_deny(request, who ? std::string_view(who->user_id) : "_anonymous", answer.code,
             auth_method(request));
    return;
  }
  requests_.count("allow", "ok");
  const bool read = request.method == Method::get || request.method == Method::head;
  log::log_at(read && error == nullptr ? log::Level::debug : log::Level::info,
              log::Event::operator_allow,
              {{"actor", who->user_id},
               {"role", role_name(who->role)},
               {"method", request.method_text},
               {"path", request.path},
               {"outcome", "allow"},
               {"auth_method", auth_method(request)}});
}

void Guard::record_open(const Request& request, const std::optional<auth::Identity>& who,
                        bool by_session, const Error* error) {
  log_fault(error);
  const std::string_view method = by_session ? "cookie" : "";
  if (error != nullptr) {
    const ErrorRow answer = describe(error->code);
    if (answer.denies()) log_deny(request, "_anonymous", answer.code, method);
    return;
  }
  if (!who) return;
  std::vector<log::Field> fields = {{"actor", who->user_id},
                                    {"role", role_name(who->role)},
                                    {"method", request.method_text},
                                    {"path", request.path},
                                    {"outcome", "allow"}};
  if (!method.empty()) fields.push_back({"auth_method", method});
  log::log_fields(log::Level::info, log::Event::operator_allow, fields);
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
