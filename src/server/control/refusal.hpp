#pragma once

#include <grpcpp/support/status.h>

#include <string_view>

#include "common/base/result.hpp"

namespace portunus::server::control {

/// How a refused bearer is answered, and the reason that is logged and counted (control-wire 4).
struct BearerRefusal {
  grpc::Status status;
  std::string_view reason;
};
/// `error`: what ClientService::authenticate answered.
BearerRefusal refuse_bearer(const Error& error);

/// How a refused enrollment is answered (control-wire 10.2). `error`: what ClientService::redeem
/// answered, which also logs what is not the caller's fault.
grpc::Status refuse_enroll(const Error& error);

}  // namespace portunus::server::control
