#include <gtest/gtest.h>

#include <string>

#include "tests/server/control/control_rig.hpp"

// portunus.v1.ClientEnrollment/Enroll over real sockets (control-wire 2.1, 10.2).

namespace portunus::server::control {
namespace {

using namespace std::chrono_literals;
using grpc::StatusCode;
using test::ControlRig;
using test::FakeEdge;

FakeEdge::Options stranger(const ControlRig& rig) {
  FakeEdge::Options options = rig.edge();
  options.authorization.reset();
  return options;
}

TEST(Enroll, CW_10_2_a_good_code_answers_with_all_seven_fields_and_needs_no_bearer) {
  ControlRig rig;
  rig.on_domain([&] {
    rig.authority.bundle = auth::RedeemedBundle{.client_name = "edge-01",
                                                .client_id = ControlRig::kOne,
                                                .server_endpoint = "hub.example.com:7443",
                                                .server_cert_sha256 = std::string(64, 'a'),
                                                .server_cert_pem = "PEM",
                                                .token = Secret("the-token"),
                                                .rotated_existing = false};
  });
  FakeEdge edge(stranger(rig));
  v1::CredentialBundle bundle;
  const grpc::Status status = edge.enroll("code-1", bundle);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(bundle.version(), 1U);
  EXPECT_EQ(bundle.client_name(), "edge-01");
  EXPECT_EQ(bundle.client_id(), ControlRig::kOne);
  EXPECT_EQ(bundle.server_endpoint(), "hub.example.com:7443");
  EXPECT_EQ(bundle.server_cert_sha256(), std::string(64, 'a'));
  EXPECT_EQ(bundle.server_cert_pem(), "PEM");
  EXPECT_EQ(bundle.token(), "the-token");
  EXPECT_EQ(rig.on_domain([&] { return rig.authority.redeemed; }),
            std::vector<std::string>{"code-1"});
  for (const std::string& line : rig.log.lines()) EXPECT_FALSE(line.contains("the-token"));
}

TEST(Enroll, CW_10_2_refusals) {
  ControlRig rig;
  FakeEdge edge(stranger(rig));
  const std::pair<Error, grpc::Status> rows[] = {
      {auth::Errc::enrollment_invalid, {StatusCode::UNAUTHENTICATED, "enrollment_invalid"}},
      {auth::Errc::enrollment_used, {StatusCode::UNAUTHENTICATED, "enrollment_used"}},
      {auth::Errc::enrollment_expired, {StatusCode::UNAUTHENTICATED, "enrollment_expired"}},
      {auth::Errc::endpoint_invalid, {StatusCode::FAILED_PRECONDITION, "endpoint_invalid"}},
      {auth::Errc::endpoint_not_in_cert_san,
       {StatusCode::FAILED_PRECONDITION, "endpoint_not_in_cert_san"}},
      {std::make_error_code(std::errc::io_error), {StatusCode::INTERNAL, "enrollment_store_error"}},
  };
  for (const auto& [error, expected] : rows) {
    rig.on_domain([&] { rig.authority.bundle = fail(error); });
    v1::CredentialBundle bundle;
    const grpc::Status status = edge.enroll("code", bundle);
    EXPECT_EQ(status.error_code(), expected.error_code()) << expected.error_message();
    EXPECT_EQ(status.error_message(), expected.error_message());
    EXPECT_EQ(bundle.ByteSizeLong(), 0U);
  }
}

TEST(Enroll, an_authorization_header_is_ignored) {
  ControlRig rig;
  FakeEdge edge(rig.edge("Bearer nonsense"));
  v1::CredentialBundle bundle;
  EXPECT_EQ(edge.enroll("code", bundle).error_message(), "enrollment_invalid");
  EXPECT_EQ(rig.on_domain([&] { return rig.authority.asked; }), 0);
}

}  // namespace
}  // namespace portunus::server::control
