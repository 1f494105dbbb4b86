#include "dataplane/failover/dial_plan.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

namespace portunus::dataplane::failover {
namespace {

using Step = DialPlan::Step;

model::RuleSpec rule(const std::vector<std::string>& hosts) {
  model::RuleSpec spec;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    spec.targets.push_back({.host = hosts[i], .port = static_cast<std::uint16_t>(100 * (i + 1))});
  }
  return spec;
}

Order in_order(const model::RuleSpec& spec) {
  return preference(spec.targets);
}

dns::Resolver::Reply answer(const std::vector<std::string>& v4, const std::vector<std::string>& v6,
                            dns::Answer::Source source = dns::Answer::Source::lookup) {
  auto addresses = std::make_shared<dns::Addresses>();
  for (const auto& text : v4) addresses->v4.push_back(*net::IpAddress::parse(text));
  for (const auto& text : v6) addresses->v6.push_back(*net::IpAddress::parse(text));
  return dns::Answer{std::move(addresses), source};
}
dns::Resolver::Reply no_answer(dns::Failure failure) {
  return std::unexpected(dns::LookupError{failure, "as it came"});
}

TEST(DialPlan, TCP_5_a_literal_is_connected_at_once_and_is_no_dns_failure) {
  const auto spec = rule({"[2001:db8::7]"});
  const DialTargets targets(spec);
  DialPlan plan;
  ASSERT_EQ(plan.start(targets, in_order(spec), 0), Step::connect);
  EXPECT_EQ(plan.endpoint().text(), "[2001:db8::7]:100");
  const auto outcome = plan.on_unreachable(ECONNREFUSED);
  EXPECT_EQ(outcome.next, Step::exhausted);
  ASSERT_TRUE(outcome.failed);
  EXPECT_EQ(outcome.failed->row, 0u);
  EXPECT_FALSE(outcome.failed->dns);
  EXPECT_EQ(outcome.failed->error, "Connection refused");
  EXPECT_EQ(outcome.failed->tried, 1u);
  EXPECT_FALSE(plan.dns_failed());
}

TEST(DialPlan, DNS_5_all_addresses_of_the_preferred_family_come_first) {
  for (const bool v6_first : {false, true}) {
    auto spec = rule({"name.example"});
    if (v6_first) spec.prefer_ipv6 = true;
    const DialTargets targets(spec);
    DialPlan plan;
    ASSERT_EQ(plan.start(targets, in_order(spec), 0), Step::resolve);
    EXPECT_EQ(plan.name(), "name.example");
    auto next = plan.on_resolved(answer({"10.0.0.2", "10.0.0.1"}, {"::2", "::1"}));
    std::vector<std::string> tried;
    while (next.next == Step::connect) {
      EXPECT_FALSE(next.failed);
      tried.push_back(plan.endpoint().text());
      next = plan.on_unreachable(ETIMEDOUT);
    }
    EXPECT_EQ(
        tried,
        v6_first
            ? (std::vector<std::string>{"[::2]:100", "[::1]:100", "10.0.0.2:100", "10.0.0.1:100"})
            : (std::vector<std::string>{"10.0.0.2:100", "10.0.0.1:100", "[::2]:100", "[::1]:100"}));
    EXPECT_EQ(next.next, Step::exhausted);
    ASSERT_TRUE(next.failed);
    EXPECT_EQ(next.failed->dns, dns::Failure::all_addrs_unreachable);
    EXPECT_EQ(next.failed->tried, 4u);
    EXPECT_TRUE(plan.dns_failed());
  }
}

TEST(DialPlan, DNS_5_an_unreachable_address_before_one_that_connects_is_no_failure) {
  const auto spec = rule({"name.example"});
  const DialTargets targets(spec);
  DialPlan plan;
  plan.start(targets, in_order(spec), 0);
  plan.on_resolved(answer({"10.0.0.1"}, {"::1"}));
  const auto outcome = plan.on_unreachable(ENETUNREACH);
  EXPECT_EQ(outcome.next, Step::connect);
  EXPECT_FALSE(outcome.failed);
  EXPECT_EQ(plan.endpoint().text(), "[::1]:100");
  EXPECT_FALSE(plan.dns_failed());
}

TEST(DialPlan, DNS_9_a_failed_lookup_is_the_rows_failure_with_its_reason) {
  const auto spec = rule({"name.example"});
  const DialTargets targets(spec);
  DialPlan plan;
  plan.start(targets, in_order(spec), 0);
  const auto outcome = plan.on_resolved(no_answer(dns::Failure::servfail));
  EXPECT_EQ(outcome.next, Step::exhausted);
  ASSERT_TRUE(outcome.failed);
  EXPECT_EQ(outcome.failed->dns, dns::Failure::servfail);
  EXPECT_EQ(outcome.failed->error, "as it came");
  EXPECT_EQ(outcome.failed->tried, 0u);
  EXPECT_TRUE(plan.dns_failed());
}

TEST(DialPlan, DNS_4_an_empty_answer_is_a_failure) {
  const auto spec = rule({"name.example"});
  const DialTargets targets(spec);
  DialPlan plan;
  plan.start(targets, in_order(spec), 0);
  const auto outcome = plan.on_resolved(answer({}, {}));
  ASSERT_TRUE(outcome.failed);
  EXPECT_EQ(outcome.failed->dns, dns::Failure::all_addrs_unreachable);
  EXPECT_TRUE(plan.dns_failed());
}

TEST(DialPlan, DNS_10_a_stale_answer_counts_though_it_connects) {
  const auto spec = rule({"name.example"});
  const DialTargets targets(spec);
  DialPlan plan;
  plan.start(targets, in_order(spec), 0);
  const auto outcome = plan.on_resolved(answer({"10.0.0.1"}, {}, dns::Answer::Source::stale));
  EXPECT_EQ(outcome.next, Step::connect);
  EXPECT_FALSE(outcome.failed);
  EXPECT_TRUE(plan.dns_failed());
}

TEST(DialPlan, FO_4_rows_are_tried_in_the_given_order_each_with_its_own_port) {
  const auto spec = rule({"10.0.0.1", "name.example", "10.0.0.3"});
  Order order;
  order.rows = {2, 1, 0};
  order.count = 3;
  const DialTargets targets(spec);
  DialPlan plan;
  ASSERT_EQ(plan.start(targets, order, 0), Step::connect);
  EXPECT_EQ(plan.row(), 2u);
  EXPECT_EQ(plan.endpoint().text(), "10.0.0.3:300");
  auto outcome = plan.on_unreachable(ECONNREFUSED);
  ASSERT_EQ(outcome.next, Step::resolve);
  EXPECT_EQ(outcome.failed->row, 2u);
  EXPECT_EQ(plan.row(), 1u);
  outcome = plan.on_resolved(answer({"10.9.9.9"}, {}));
  ASSERT_EQ(outcome.next, Step::connect);
  EXPECT_EQ(plan.endpoint().text(), "10.9.9.9:200");
  outcome = plan.on_unreachable(ECONNREFUSED);
  ASSERT_EQ(outcome.next, Step::connect);
  EXPECT_EQ(outcome.failed->row, 1u);
  // The answer of the row before must not be used for a literal.
  EXPECT_EQ(plan.endpoint().text(), "10.0.0.1:100");
}

TEST(DialPlan, FO_5_every_row_reports_and_the_connection_counts_once) {
  const auto spec = rule({"a.example", "b.example", "10.0.0.3"});
  const DialTargets targets(spec);
  DialPlan plan;
  plan.start(targets, in_order(spec), 0);
  auto outcome = plan.on_resolved(no_answer(dns::Failure::nxdomain));
  EXPECT_EQ(outcome.failed->dns, dns::Failure::nxdomain);
  outcome = plan.on_resolved(no_answer(dns::Failure::attempt_timeout));
  EXPECT_EQ(outcome.failed->dns, dns::Failure::attempt_timeout);
  ASSERT_EQ(outcome.next, Step::connect);
  EXPECT_EQ(plan.row(), 2u);
  EXPECT_TRUE(plan.dns_failed());
}

TEST(DialPlan, FO_5_a_row_tells_when_this_host_could_not_try_it) {
  const auto spec = rule({"a.example", "b.example", "10.0.0.3"});
  const DialTargets targets(spec);
  DialPlan plan;
  plan.start(targets, in_order(spec), 0);
  auto outcome = plan.on_resolved(no_answer(dns::Failure::nxdomain));
  EXPECT_FALSE(outcome.failed->of_this_host);
  outcome = plan.on_resolved(
      std::unexpected(dns::LookupError{dns::Failure::other, "no descriptor", true}));
  EXPECT_TRUE(outcome.failed->of_this_host);
  EXPECT_EQ(outcome.failed->dns, dns::Failure::other);
  outcome = plan.on_unreachable(EMFILE);
  EXPECT_TRUE(outcome.failed->of_this_host);
}

TEST(DialPlan, PP_1_a_refused_header_ends_the_row_without_its_other_addresses) {
  const auto spec = rule({"name.example", "10.0.0.2"});
  const DialTargets targets(spec);
  DialPlan plan;
  plan.start(targets, in_order(spec), 0);
  plan.on_resolved(answer({"10.0.1.1", "10.0.1.2"}, {"::1"}));
  plan.on_unreachable(ECONNREFUSED);
  const auto outcome = plan.on_refused("header not accepted");
  EXPECT_EQ(outcome.next, Step::connect);
  ASSERT_TRUE(outcome.failed);
  EXPECT_EQ(outcome.failed->row, 0u);
  EXPECT_FALSE(outcome.failed->dns);
  EXPECT_EQ(outcome.failed->error, "header not accepted");
  EXPECT_EQ(outcome.failed->tried, 2u);
  EXPECT_EQ(plan.endpoint().text(), "10.0.0.2:200");
  EXPECT_FALSE(plan.dns_failed());
}

TEST(DialPlan, RNG_2_the_offset_of_the_listen_port_goes_to_the_target_port) {
  auto spec = rule({"10.0.0.1"});
  spec.targets[0].port = 65000;
  const DialTargets targets(spec);
  DialPlan plan;
  plan.start(targets, in_order(spec), 535);
  EXPECT_EQ(plan.endpoint().text(), "10.0.0.1:65535");
}

TEST(DialPlan, FO_4_a_plan_can_be_started_again) {
  const auto spec = rule({"name.example"});
  const DialTargets targets(spec);
  DialPlan plan;
  plan.start(targets, in_order(spec), 7);
  plan.on_resolved(no_answer(dns::Failure::other));
  const auto other = rule({"10.0.0.1"});
  const DialTargets other_targets(other);
  EXPECT_EQ(plan.start(other_targets, in_order(other), 0), Step::connect);
  EXPECT_EQ(plan.endpoint().text(), "10.0.0.1:100");
  EXPECT_FALSE(plan.dns_failed());
}

}  // namespace
}  // namespace portunus::dataplane::failover
