#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

namespace portunus::bench {

/// Where the server is and the only certificate that is believed.
struct ServerAddress {
  std::string endpoint;  ///< ip:port
  std::string certificate_pem;
};

/// A TCP connection of its own with TLS, as each edge has one; nothing is dialled before a call.
std::shared_ptr<grpc::Channel> open_channel(const ServerAddress& server);

}  // namespace portunus::bench
