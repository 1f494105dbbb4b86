#include "server/control/control_services.hpp"

#include <boost/asio/post.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "server/control/edge_link.hpp"
#include "server/control/enroll_call.hpp"
#include "server/control/peer_address.hpp"
#include "server/control/session_hub.hpp"
#include "server/control/stream_reactor.hpp"

namespace portunus::server::control {

grpc::ServerBidiReactor<v1::ClientMessage, v1::ServerMessage>* ControlService::Channel(
    grpc::CallbackServerContext* context) {
  std::optional<std::string> authorization;
  const auto& metadata = context->client_metadata();
  if (const auto it = metadata.find("authorization"); it != metadata.end()) {
    authorization.emplace(it->second.data(), it->second.size());
  }
  auto link =
      std::make_shared<EdgeLink>(hub_, peer_address(context->peer()), std::move(authorization));
  auto* reactor = new StreamReactor(hub_.executor(), link, *context);
  boost::asio::post(hub_.executor(), [link, reactor] { link->open(*reactor); });
  return reactor;
}

grpc::ServerUnaryReactor* EnrollmentService::Enroll(grpc::CallbackServerContext* /*context*/,
                                                    const v1::EnrollClientRequest* request,
                                                    v1::CredentialBundle* response) {
  auto* call = new EnrollCall(*response);
  boost::asio::post(hub_.executor(), [&hub = hub_, call, code = request->code()]() mutable {
    hub.enroll(*call, std::move(code));
  });
  return call;
}

}  // namespace portunus::server::control
