#include "server/control/refusal.hpp"

#include <gtest/gtest.h>

#include "server/auth/errc.hpp"

namespace portunus::server::control {
namespace {

using auth::Errc;
using grpc::StatusCode;

Error store_error() {
  return Error(std::make_error_code(std::errc::io_error), "disk");
}

TEST(Refusal, CW_4_a_refused_bearer_has_its_status_message_and_reason) {
  for (const auto& [error, word] : {std::pair(Errc::missing_token, "missing_token"),
                                    std::pair(Errc::malformed_token, "malformed_token"),
                                    std::pair(Errc::token_not_found, "token_not_found"),
                                    std::pair(Errc::token_revoked, "token_revoked")}) {
    const BearerRefusal refusal = refuse_bearer(error);
    EXPECT_EQ(refusal.status.error_code(), StatusCode::UNAUTHENTICATED) << word;
    EXPECT_EQ(refusal.status.error_message(), word);
    EXPECT_EQ(refusal.reason, word);
  }
}

TEST(Refusal, CW_4_a_store_error_lets_the_edge_retry) {
  const BearerRefusal refusal = refuse_bearer(store_error());
  EXPECT_EQ(refusal.status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(refusal.status.error_message(), "token_verify_error");
  EXPECT_EQ(refusal.reason, "internal_error");
}

TEST(Refusal, CW_10_2_a_refused_code_has_its_status_and_message) {
  for (const auto& [error, word] : {std::pair(Errc::enrollment_invalid, "enrollment_invalid"),
                                    std::pair(Errc::enrollment_used, "enrollment_used"),
                                    std::pair(Errc::enrollment_expired, "enrollment_expired")}) {
    const grpc::Status status = refuse_enroll(error);
    EXPECT_EQ(status.error_code(), StatusCode::UNAUTHENTICATED) << word;
    EXPECT_EQ(status.error_message(), word);
  }
  for (const auto& [error, word] :
       {std::pair(Errc::endpoint_invalid, "endpoint_invalid"),
        std::pair(Errc::endpoint_not_in_cert_san, "endpoint_not_in_cert_san")}) {
    const grpc::Status status = refuse_enroll(error);
    EXPECT_EQ(status.error_code(), StatusCode::FAILED_PRECONDITION) << word;
    EXPECT_EQ(status.error_message(), word);
  }
  const grpc::Status status = refuse_enroll(store_error());
  EXPECT_EQ(status.error_code(), StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message(), "enrollment_store_error");  // and nothing of the cause
}

}  // namespace
}  // namespace portunus::server::control
