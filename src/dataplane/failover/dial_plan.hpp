#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/model/rule.hpp"
#include "common/net/endpoint.hpp"
#include "dataplane/dns/resolver.hpp"
#include "dataplane/failover/dial_order.hpp"

namespace portunus::dataplane::failover {

/// The rows of a rule as they are dialled: made once per activation, so that no connection parses
/// an address. The rule must outlive it.
class DialTargets {
 public:
  explicit DialTargets(const model::RuleSpec& rule);

  const model::RuleSpec& rule() const { return *rule_; }
  /// The address of a row that is a literal; nothing for a name.
  const std::optional<net::IpAddress>& literal(std::size_t row) const { return literals_[row]; }

 private:
  const model::RuleSpec* rule_;
  std::vector<std::optional<net::IpAddress>> literals_;
};

/// What one connection or flow tries until something takes it: the rows of the rule in dial order,
/// and of each row the addresses in DNS order (FO-4, DNS-5). Without I/O; TCP and UDP drive it
/// alike. Holds no more than the addresses at hand.
class DialPlan {
 public:
  enum class Step : std::uint8_t {
    resolve,    ///< ask for name(), then on_resolved()
    connect,    ///< try endpoint(), then on_unreachable() if it fails
    exhausted,  ///< nothing is left
  };
  /// A row that did not work out: a failure of its health (FO-5), unless it was this host's fault.
  struct RowFailure {
    std::size_t row;
    /// It was a name: rule.dns_failed with this reason.
    std::optional<dns::Failure> dns;
    /// For the log; errno text of the last address, or the resolver's detail.
    std::string error;
    /// Addresses that were tried.
    unsigned tried;
    /// The last address was never tried, or the name not looked up, because this host had no
    /// descriptor or memory for it.
    bool of_this_host = false;
  };
  struct Outcome {
    Step next;
    std::optional<RowFailure> failed;
  };

  DialPlan() = default;
  /// `port_offset`: of the listen port in the rule's range (RNG-2). The targets must outlive the
  /// plan.
  Step start(const DialTargets& targets, const Order& order, std::uint32_t port_offset);

  /// The row at hand.
  std::size_t row() const { return order_.rows[at_]; }
  const model::Target& target() const { return targets_->rule().targets[row()]; }
  /// The name to resolve.
  const std::string& name() const { return target().host; }
  /// Where to connect to.
  net::Endpoint endpoint() const;

  Outcome on_resolved(const dns::Resolver::Reply& reply);
  Outcome on_unreachable(int error);
  /// The row took the connection's address but not the connection, e.g. not its PROXY header.
  Outcome on_refused(std::string error);

  /// True when the connection is to be counted in dns_failures: at most once, over all its rows and
  /// addresses (FO-5, DNS-10). Asked when the dialling is over.
  bool dns_failed() const { return dns_failed_; }

 private:
  Step begin_row();
  Outcome end_row(RowFailure failure);

  const DialTargets* targets_ = nullptr;
  Order order_;
  std::uint8_t at_ = 0;
  bool dns_failed_ = false;
  std::uint16_t port_offset_ = 0;
  std::uint16_t address_at_ = 0;
  /// The answer for a name; null while the row is a literal or not yet resolved.
  std::shared_ptr<const dns::Addresses> addresses_;
};

}  // namespace portunus::dataplane::failover
