#include "dataplane/tcp/admission.hpp"

#include "common/base/clock.hpp"
#include "dataplane/limits/limiter.hpp"
#include "dataplane/tcp/tcp_rule.hpp"

namespace portunus::dataplane::tcp {

bool admit_connection(TcpRule& rule, std::uint16_t port, const net::Endpoint& peer) {
  rules::LiveRule& live = rule.live();
  if (const quota::QuotaGate* quota = live.quota(); quota != nullptr && quota->exhausted()) {
    rule.log_quota_reject(port, peer);
    return false;
  }
  const auto reason = limits::admit(live.owner_limiter(), live.limiter(), model::Protocol::tcp,
                                    SystemClock::instance().steady_now());
  if (!reason) return true;
  rule.log_rate_limit_reject(port, peer, *reason);
  return false;
}

}  // namespace portunus::dataplane::tcp
