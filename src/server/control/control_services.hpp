#pragma once

#include "portunus/v1/control.grpc.pb.h"
#include "portunus/v1/enrollment.grpc.pb.h"

namespace portunus::server::control {

class SessionHub;

/// portunus.v1.Control. Its method runs on gRPC's threads, copies what the domain needs and posts.
class ControlService final : public v1::Control::CallbackService {
 public:
  explicit ControlService(SessionHub& hub) : hub_(hub) {}

  grpc::ServerBidiReactor<v1::ClientMessage, v1::ServerMessage>* Channel(
      grpc::CallbackServerContext* context) override;

 private:
  SessionHub& hub_;
};

/// portunus.v1.ClientEnrollment; likewise.
class EnrollmentService final : public v1::ClientEnrollment::CallbackService {
 public:
  explicit EnrollmentService(SessionHub& hub) : hub_(hub) {}

  grpc::ServerUnaryReactor* Enroll(grpc::CallbackServerContext* context,
                                   const v1::EnrollClientRequest* request,
                                   v1::CredentialBundle* response) override;

 private:
  SessionHub& hub_;
};

}  // namespace portunus::server::control
