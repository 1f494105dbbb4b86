#include "server/control/refusal.hpp"

#include <string>

#include "server/auth/errc.hpp"

namespace portunus::server::control {
namespace {

grpc::Status refused(grpc::StatusCode code, std::string_view message) {
  return {code, std::string(message)};
}

}  // namespace

BearerRefusal refuse_bearer(const Error& error) {
  using auth::Errc;
  std::string_view reason;
  if (error == Errc::missing_token) reason = "missing_token";
  if (error == Errc::malformed_token) reason = "malformed_token";
  if (error == Errc::token_not_found) reason = "token_not_found";
  if (error == Errc::token_revoked) reason = "token_revoked";
  // Anything else is the server's own trouble, of which the edge's token must not die: it retries.
  if (reason.empty()) {
    return {refused(grpc::StatusCode::UNAVAILABLE, "token_verify_error"), "internal_error"};
  }
  return {refused(grpc::StatusCode::UNAUTHENTICATED, reason), reason};
}

grpc::Status refuse_enroll(const Error& error) {
  using auth::Errc;
  using grpc::StatusCode;
  if (error == Errc::enrollment_invalid) {
    return refused(StatusCode::UNAUTHENTICATED, "enrollment_invalid");
  }
  if (error == Errc::enrollment_used) {
    return refused(StatusCode::UNAUTHENTICATED, "enrollment_used");
  }
  if (error == Errc::enrollment_expired) {
    return refused(StatusCode::UNAUTHENTICATED, "enrollment_expired");
  }
  if (error == Errc::endpoint_invalid) {
    return refused(StatusCode::FAILED_PRECONDITION, "endpoint_invalid");
  }
  if (error == Errc::endpoint_not_in_cert_san) {
    return refused(StatusCode::FAILED_PRECONDITION, "endpoint_not_in_cert_san");
  }
  return refused(StatusCode::INTERNAL, "enrollment_store_error");
}

}  // namespace portunus::server::control
