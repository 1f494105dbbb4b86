#include "server/control/enroll_call.hpp"

namespace portunus::server::control {

void EnrollCall::answer(const auth::RedeemedBundle& bundle) {
  response_.set_version(1);
  response_.set_client_name(bundle.client_name);
  response_.set_server_endpoint(bundle.server_endpoint);
  response_.set_server_cert_sha256(bundle.server_cert_sha256);
  response_.set_server_cert_pem(bundle.server_cert_pem);
  response_.set_token(bundle.token.reveal());
  response_.set_client_id(bundle.client_id);
  Finish(grpc::Status::OK);
}

}  // namespace portunus::server::control
