#pragma once

#include <grpcpp/support/server_callback.h>

#include "portunus/v1/enrollment.pb.h"
#include "server/auth/client_service.hpp"

namespace portunus::server::control {

/// One Enroll call. gRPC owns it until OnDone, which cannot come before the domain's one answer;
/// a caller that has gone changes nothing, the code is spent or not as the store says.
class EnrollCall final : public grpc::ServerUnaryReactor {
 public:
  explicit EnrollCall(v1::CredentialBundle& response) : response_(response) {}

  // Domain executor; one of them, once.
  void answer(const auth::RedeemedBundle& bundle);
  void refuse(const grpc::Status& status) { Finish(status); }

 private:
  void OnDone() override { delete this; }
  v1::CredentialBundle& response_;
};

}  // namespace portunus::server::control
