#pragma once

#include <memory>
#include <span>
#include <vector>

#include "common/async/io_threads.hpp"
#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"
#include "portal/server/quic_core.hpp"
#include "portal/server/services.hpp"

namespace portunus::portal::server {

/// QUIC on all cores: its sockets and a QuicCore for each. Made and started before the threads run;
/// then each core is touched on its own thread only, and all are destroyed after the threads.
class QuicCarrier {
 public:
  /// Binds all addresses or none (portal 8). Serves nobody before start().
  static Result<std::unique_ptr<QuicCarrier>> bind(Services& services, async::IoThreads& threads,
                                                   std::span<const net::Endpoint> addresses);
  Result<> start();

  QuicCore& core(unsigned index) { return *cores_[index]; }
  const std::vector<net::Endpoint>& endpoints() const { return endpoints_; }

 private:
  std::vector<std::unique_ptr<QuicCore>> cores_;
  std::vector<net::Endpoint> endpoints_;
};

}  // namespace portunus::portal::server
