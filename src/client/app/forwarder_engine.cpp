#include "client/app/forwarder_engine.hpp"

#include <utility>

namespace portunus::client::app {

void ForwarderEngine::on_rule_failed(OnRuleFailed notify) {
  forwarder_.on_rule_failed(std::move(notify));
}

async::Task<std::expected<void, std::string>> ForwarderEngine::activate(model::RuleSpec rule,
                                                                        model::UdpSettings udp) {
  return forwarder_.activate(std::move(rule), udp);
}

async::Task<model::RuleTraffic> ForwarderEngine::remove(RuleId id,
                                                        std::chrono::steady_clock::duration grace) {
  return forwarder_.remove(id, grace);
}

void ForwarderEngine::limit_rule(RuleId id, const std::optional<model::RateLimit>& limit) {
  forwarder_.limit_rule(id, limit);
}

void ForwarderEngine::tune_udp(RuleId id, model::UdpSettings udp) {
  forwarder_.tune_udp(id, udp);
}

void ForwarderEngine::limit_owner(std::string_view owner_id,
                                  const std::optional<model::RateLimit>& limit) {
  forwarder_.limit_owner(owner_id, limit);
}

void ForwarderEngine::set_quota(std::string_view owner_id, std::uint64_t remaining,
                                bool exhausted) {
  forwarder_.set_quota(owner_id, remaining, exhausted);
}

void ForwarderEngine::remove_quota(std::string_view owner_id) {
  forwarder_.remove_quota(owner_id);
}

std::vector<model::RuleTraffic> ForwarderEngine::counters() const {
  return forwarder_.counters();
}

std::optional<model::RuleTraffic> ForwarderEngine::counters(RuleId id) const {
  return forwarder_.counters(id);
}

std::vector<model::RuleTraffic> ForwarderEngine::draining() const {
  return forwarder_.draining();
}

std::vector<model::SniPortTraffic> ForwarderEngine::sni_ports() const {
  return forwarder_.sni_ports();
}

std::vector<model::OwnerTraffic> ForwarderEngine::owners() const {
  return forwarder_.owners();
}

}  // namespace portunus::client::app
