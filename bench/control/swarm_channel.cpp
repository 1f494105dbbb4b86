#include "bench/control/swarm_channel.hpp"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

namespace portunus::bench {

std::shared_ptr<grpc::Channel> open_channel(const ServerAddress& server) {
  grpc::ChannelArguments arguments;
  // Otherwise gRPC gives channels to one address one connection between them.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_CHANNELZ, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // As the real edge: a PING every 20 s, dead after 10 s (control-wire 1.2).
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Every generated certificate names localhost; which one it is, the roots decide.
  arguments.SetSslTargetNameOverride("localhost");
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = server.certificate_pem;
  return grpc::CreateCustomChannel("ipv4:" + server.endpoint, grpc::SslCredentials(tls), arguments);
}

}  // namespace portunus::bench
