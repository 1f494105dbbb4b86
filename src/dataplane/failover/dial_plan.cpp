#include "dataplane/failover/dial_plan.hpp"

#include <system_error>
#include <utility>

#include "common/net/host_error.hpp"

namespace portunus::dataplane::failover {
namespace {

/// The address at `index` of the dial order, without building the list.
const net::IpAddress& address_at(const dns::Addresses& all, bool v6_first, std::size_t index) {
  const auto& first = v6_first ? all.v6 : all.v4;
  const auto& second = v6_first ? all.v4 : all.v6;
  return index < first.size() ? first[index] : second[index - first.size()];
}

}  // namespace

DialTargets::DialTargets(const model::RuleSpec& rule) : rule_(&rule) {
  literals_.reserve(rule.targets.size());
  for (const model::Target& target : rule.targets) {
    const auto literal = target.literal();
    literals_.push_back(literal ? std::optional(literal->address()) : std::nullopt);
  }
}

DialPlan::Step DialPlan::start(const DialTargets& targets, const Order& order,
                               std::uint32_t port_offset) {
  targets_ = &targets;
  order_ = order;
  at_ = 0;
  dns_failed_ = false;
  port_offset_ = static_cast<std::uint16_t>(port_offset);
  return begin_row();
}

DialPlan::Step DialPlan::begin_row() {
  addresses_.reset();
  address_at_ = 0;
  if (at_ >= order_.count) return Step::exhausted;
  return targets_->literal(row()) ? Step::connect : Step::resolve;
}

net::Endpoint DialPlan::endpoint() const {
  const auto port = static_cast<std::uint16_t>(target().port + port_offset_);
  if (!addresses_) return net::Endpoint(*targets_->literal(row()), port);
  const bool v6_first = targets_->rule().prefer_ipv6.value_or(false);
  return net::Endpoint(address_at(*addresses_, v6_first, address_at_), port);
}

DialPlan::Outcome DialPlan::on_resolved(const dns::Resolver::Reply& reply) {
  if (!reply) {
    dns_failed_ = true;
    const dns::LookupError& error = reply.error();
    return end_row({row(), error.failure, error.detail, 0, error.of_this_host});
  }
  if (reply->source == dns::Answer::Source::stale) dns_failed_ = true;
  addresses_ = reply->addresses;
  if (addresses_->size() == 0) {
    dns_failed_ = true;
    return end_row({row(), dns::Failure::all_addrs_unreachable, "empty answer", 0});
  }
  return {Step::connect, std::nullopt};
}

DialPlan::Outcome DialPlan::on_unreachable(int error) {
  ++address_at_;
  const std::string text = std::system_category().message(error);
  const bool own = net::is_of_this_host(error);
  if (!addresses_) return end_row({row(), std::nullopt, text, 1, own});
  if (address_at_ < addresses_->size()) return {Step::connect, std::nullopt};
  dns_failed_ = true;
  return end_row({row(), dns::Failure::all_addrs_unreachable, text, address_at_, own});
}

DialPlan::Outcome DialPlan::on_refused(std::string error) {
  return end_row({row(), std::nullopt, std::move(error), address_at_ + 1U});
}

DialPlan::Outcome DialPlan::end_row(RowFailure failure) {
  ++at_;
  return {begin_row(), std::move(failure)};
}

}  // namespace portunus::dataplane::failover
