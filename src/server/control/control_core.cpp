#include "server/control/control_core.hpp"

#include <utility>

#include "common/base/assert.hpp"

namespace portunus::server::control {

ControlCore::ControlCore(const boost::asio::any_io_executor& domain, ClientAuthority& clients,
                         RuleFeed& rules, const LimitFeed& limits, const Clock& clock,
                         HubSettings hub, GrpcSettings grpc)
    : settings_(std::move(grpc)),
      hub_(domain, clients, rules, limits, clock, hub),
      control_(hub_),
      enrollment_(hub_),
      host_(domain) {}

async::Task<> ControlCore::stop(std::chrono::steady_clock::duration grace) {
  hub_.request_stop();
  co_await host_.shutdown(grace);
  co_await hub_.drain();
  // Every reactor posts its end before the shutdown returns.
  PORTUNUS_ASSERT(hub_.stream_count() == 0);
}

}  // namespace portunus::server::control
