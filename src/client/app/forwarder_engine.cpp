#include "client/app/forwarder_engine.hpp"

#include <utility>

namespace portunus::client::app {

async::Task<std::expected<void, std::string>> ForwarderEngine::activate(model::RuleSpec rule) {
  return forwarder_.activate(std::move(rule));
}

async::Task<model::RuleTraffic> ForwarderEngine::remove(RuleId id,
                                                        std::chrono::steady_clock::duration grace) {
  return forwarder_.remove(id, grace);
}

std::vector<model::RuleTraffic> ForwarderEngine::counters() const {
  return forwarder_.counters();
}

}  // namespace portunus::client::app
