#include "dataplane/udp/toll.hpp"

namespace portunus::dataplane::udp {
namespace {

limits::Limiter* shaping(limits::Limiter* limiter, limits::Direction direction) {
  return limiter != nullptr && limiter->shapes(direction) ? limiter : nullptr;
}

}  // namespace

void Toll::start(rules::LiveRule& rule, limits::Direction direction, SteadyTime now) {
  start_paid(rule);
  owner_ = shaping(rule.owner_limiter(), direction);
  rule_ = shaping(&rule.limiter(), direction);
  direction_ = direction;
  now_ = now;
}

void Toll::start_paid(rules::LiveRule& rule) {
  quota::QuotaGate* const gate = rule.quota();
  quota_ = gate != nullptr && gate->metered() ? gate : nullptr;
  owner_ = rule_ = nullptr;
  taken_ = 0;
}

Toll::Verdict Toll::ask(std::uint32_t bytes) {
  quota::QuotaGate::Grant grant;
  if (quota_ != nullptr) {
    if (bytes == 0 && quota_->exhausted()) return Verdict::quota;
    grant = quota_->take_datagram(bytes);
    if (bytes > 0 && grant.bytes == 0) return Verdict::quota;
  }
  if (shaped_out(bytes)) {
    if (quota_ != nullptr) quota_->refund(grant, grant.bytes);
    return Verdict::bandwidth;
  }
  grants_[taken_++] = grant;
  return Verdict::pass;
}

bool Toll::shaped_out(std::uint32_t bytes) {
  if (owner_ != nullptr && !owner_->take_datagram(direction_, bytes, now_)) return true;
  return rule_ != nullptr && !rule_->take_datagram(direction_, bytes, now_);
}

void Toll::settle(std::uint32_t accepted) {
  if (quota_ != nullptr) {
    for (unsigned i = accepted; i < taken_; ++i) quota_->refund(grants_[i], grants_[i].bytes);
  }
  taken_ = 0;
}

}  // namespace portunus::dataplane::udp
