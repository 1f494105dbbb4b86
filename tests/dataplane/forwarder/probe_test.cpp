#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/dns/resolver.hpp"
#include "dataplane/forwarder/prober.hpp"
#include "tests/dataplane/support/engine.hpp"
#include "tests/dataplane/support/few_descriptors.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/scripted_dns.hpp"

namespace portunus::test {
namespace {

using dataplane::Prober;
using dataplane::ProbeTimes;
using dataplane::failover::Health;
using dataplane::rules::LiveRule;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// The prober alone, on the test's thread.
class ProberTest : public testing::Test {
 protected:
  ~ProberTest() override {
    prober_->stop();
    resolver_->stop();
    context_.run();
  }
  void start(ProbeTimes times, const std::string& dns = "127.0.0.1:1") {
    resolver_ = std::make_unique<dataplane::dns::Resolver>(
        context_, dataplane::dns::ResolverOptions{.servers = dns});
    prober_ = std::make_unique<Prober>(context_, *resolver_, times);
  }
  static std::shared_ptr<LiveRule> rule(const std::vector<std::uint16_t>& ports,
                                        std::optional<std::uint32_t> interval = std::nullopt,
                                        const std::string& first_host = "127.0.0.1") {
    auto spec = Engine::list(1, ports);
    spec.targets[0].host = first_host;
    spec.listen_port = 1;
    spec.health_check_interval_secs = interval;
    return std::make_shared<LiveRule>(spec, nullptr, 1);
  }
  static void fail(LiveRule& rule, std::size_t row) {
    for (int i = 0; i < 3; ++i) rule.record_failure(row, Clock::now());
    ASSERT_EQ(rule.health()[row].health(), Health::failed);
  }
  /// Runs the context until then; false when patience is over.
  bool run_until(const std::function<bool()>& condition, milliseconds patience = kPatience) {
    const auto deadline = Clock::now() + patience;
    while (!condition() && Clock::now() < deadline) context_.run_one_for(milliseconds(20));
    return condition();
  }
  void run_for(milliseconds time) {
    run_until([] { return false; }, time);
  }
  std::size_t count(const std::string& event, std::size_t row) const {
    return log_.count("rule.target." + event, {"\"target_index\":" + std::to_string(row)});
  }
  std::size_t probes() const {
    return log_.count("rule.target.probe_ok") + log_.count("rule.target.probe_failed") +
           log_.count("rule.target.probe_timeout");
  }

  const LogCapture log_;
  boost::asio::io_context context_{1};
  std::unique_ptr<dataplane::dns::Resolver> resolver_;
  std::unique_ptr<Prober> prober_;
};

TEST_F(ProberTest, FO_9_one_target_per_tick_in_row_order_the_first_at_once) {
  start({});
  Acceptor a;
  Acceptor b;
  const auto rule = ProberTest::rule({a.port(), b.port()}, 1);
  const auto begin = Clock::now();
  prober_->start(rule);
  EXPECT_TRUE(run_until([&] { return count("probe_ok", 0) == 1; }));
  EXPECT_LT(Clock::now() - begin, milliseconds(900));
  EXPECT_EQ(count("probe_ok", 1), 0U);
  EXPECT_TRUE(run_until([&] { return count("probe_ok", 1) == 1; }));
  EXPECT_GE(Clock::now() - begin, milliseconds(990));
  EXPECT_EQ(count("probe_ok", 0), 1U);
  EXPECT_TRUE(run_until([&] { return count("probe_ok", 0) == 2; }));
  EXPECT_GE(Clock::now() - begin, milliseconds(1990));
  // Nothing is sent.
  EXPECT_EQ(a.accept().receive_all(), "");
}

TEST_F(ProberTest, FO_9_three_failed_probes_fail_a_target) {
  start({});
  Acceptor a;
  const auto rule = ProberTest::rule({refused_port(), a.port()}, 1);
  prober_->start(rule);
  EXPECT_TRUE(run_until([&] { return rule->health()[0].health() == Health::failed; }));
  EXPECT_EQ(log_.count("rule.target.probe_failed",
                       {"\"target_index\":0", "\"error\":\"Connection refused\""}),
            3U);
  EXPECT_EQ(rule->health()[1].health(), Health::healthy);
}

TEST_F(ProberTest, FO_5_a_host_out_of_descriptors_is_no_failure_of_a_target) {
  start({});
  Acceptor a;
  const auto rule = ProberTest::rule({a.port(), a.port()}, 1);
  {
    const FewDescriptors none(0);
    prober_->start(rule);
    EXPECT_TRUE(run_until([&] { return count("probe_failed", 0) == 1; }));
  }
  EXPECT_EQ(log_.count("rule.target.probe_failed", {"Too many open files"}), 1U);
  EXPECT_EQ(rule->health()[0].consecutive_failures(), 0U);
  EXPECT_EQ(rule->health()[0].last_failure_unix_ms(), 0U);
}

TEST_F(ProberTest, FO_5_a_host_out_of_descriptors_is_no_failure_of_a_name_either) {
  start({});
  Acceptor a;
  const auto rule = ProberTest::rule({a.port(), a.port()}, 1, "target.example");
  {
    const FewDescriptors none(0);
    prober_->start(rule);
    EXPECT_TRUE(run_until([&] { return count("probe_failed", 0) == 1; }));
  }
  EXPECT_EQ(log_.count("rule.target.probe_failed", {"other: Too many open files"}), 1U);
  EXPECT_EQ(rule->health()[0].consecutive_failures(), 0U);
  EXPECT_EQ(rule->health()[0].last_failure_unix_ms(), 0U);
}

TEST_F(ProberTest, FO_9_a_slow_probe_neither_overlaps_nor_is_made_up_for) {
  start({.probe = milliseconds(2500)});
  SilentTarget silent;
  Acceptor b;
  const auto rule = ProberTest::rule({silent.port(), b.port()}, 1);
  const auto begin = Clock::now();
  prober_->start(rule);
  EXPECT_TRUE(run_until([&] { return probes() == 1; }));
  EXPECT_GE(Clock::now() - begin, milliseconds(2490));
  EXPECT_EQ(log_.count("rule.target.probe_timeout", {"\"target_index\":0", "\"timeout_secs\":2"}),
            1U);
  // The ticks of the first and the second second are gone; the third is the next.
  EXPECT_TRUE(run_until([&] { return probes() == 2; }));
  EXPECT_GE(Clock::now() - begin, milliseconds(2990));
  EXPECT_EQ(count("probe_ok", 1), 1U);
  EXPECT_EQ(rule->health()[0].consecutive_failures(), 1U);
}

TEST_F(ProberTest, FO_10_a_failed_target_that_is_repaired_recovers_by_itself) {
  start({.recovery = milliseconds(30)});
  const auto broken = refused_port();
  Acceptor healthy;
  const auto rule = ProberTest::rule({broken, healthy.port()});
  fail(*rule, 0);
  prober_->start(rule);
  EXPECT_TRUE(run_until([&] { return count("probe_failed", 0) >= 2; }));
  EXPECT_EQ(rule->health()[0].health(), Health::failed);
  Acceptor repaired(16, false, broken);
  EXPECT_TRUE(run_until([&] { return rule->health()[0].health() == Health::healthy; }));
  EXPECT_EQ(count("probe_ok", 0), 2U);
  EXPECT_EQ(log_.count("rule.target.health_changed", {"\"to\":\"Healthy\"", "\"level\":\"INFO\""}),
            1U);
  EXPECT_EQ(rule->traffic().target_failovers, 2U);
  // Who is healthy is left alone.
  const auto before = probes();
  run_for(milliseconds(150));
  EXPECT_EQ(probes(), before);
  EXPECT_FALSE(healthy.pending());
}

TEST_F(ProberTest, FO_10_udp_rules_are_probed_by_tcp_connect) {
  start({.recovery = milliseconds(30)});
  Acceptor a;
  auto spec = Engine::list(1, {a.port(), refused_port()});
  spec.listen_port = 1;
  spec.protocol = model::Protocol::udp;
  const auto rule = std::make_shared<LiveRule>(spec, nullptr, 1);
  fail(*rule, 0);
  prober_->start(rule);
  EXPECT_TRUE(run_until([&] { return rule->health()[0].health() == Health::healthy; }));
}

TEST_F(ProberTest, FO_9_a_name_is_resolved_and_its_addresses_are_tried_in_turn) {
  ScriptedDns dns([](const DnsQuestion& question) -> std::vector<DnsAnswer> {
    if (question.name == "nobody.example") return {DnsAnswer{.rcode = 3}};
    if (question.type != kTypeA) return {DnsAnswer{}};
    return {DnsAnswer{.records = {{question.name, kTypeA, 60, "127.0.0.2"},
                                  {question.name, kTypeA, 60, "127.0.0.1"}}}};
  });
  start({.recovery = milliseconds(30)}, dns.server());
  Acceptor a;
  auto spec = Engine::list(1, {a.port(), 80});
  spec.listen_port = 1;
  spec.targets[0].host = "target.example";
  spec.targets[1].host = "nobody.example";
  const auto rule = std::make_shared<LiveRule>(spec, nullptr, 1);
  fail(*rule, 0);
  fail(*rule, 1);
  prober_->start(rule);
  EXPECT_TRUE(run_until([&] { return rule->health()[0].health() == Health::healthy; }));
  EXPECT_TRUE(run_until([&] {
    return log_.count("rule.target.probe_failed", {"\"target_index\":1", "nxdomain"}) > 0;
  }));
  EXPECT_EQ(log_.count("rule.dns_failed"), 0U);
  EXPECT_EQ(rule->traffic().dns_failures, 0U);
}

TEST_F(ProberTest, a_stopped_rule_is_not_judged_any_more) {
  start({.probe = milliseconds(200), .recovery = milliseconds(20)});
  SilentTarget silent;
  const auto rule = ProberTest::rule({silent.port(), refused_port()});
  fail(*rule, 0);
  prober_->start(rule);
  run_for(milliseconds(50));
  prober_->stop(*rule);
  run_for(milliseconds(300));
  EXPECT_EQ(probes(), 0U);
  EXPECT_EQ(rule.use_count(), 1);
}

TEST_F(ProberTest, FO_2_a_single_target_is_not_probed) {
  start({.recovery = milliseconds(10)});
  Acceptor a;
  const auto rule = ProberTest::rule({a.port()}, 1);
  prober_->start(rule);
  run_for(milliseconds(100));
  EXPECT_FALSE(a.pending());
}

TEST(ForwarderProbes, FO_9_the_engine_probes_from_activation_to_removal) {
  const LogCapture log;
  Acceptor a;
  Acceptor b;
  Engine engine;
  auto spec = Engine::list(1, {a.port(), b.port()});
  spec.health_check_interval_secs = 1;
  engine.serve(spec);
  EXPECT_TRUE(a.pending(kPatience));
  EXPECT_TRUE(eventually([&] { return log.count("rule.target.probe_ok") >= 2; }));
  engine.remove(1, milliseconds(0)).get();
  const auto before = log.count("rule.target.probe_ok");
  EXPECT_FALSE(
      eventually([&] { return log.count("rule.target.probe_ok") > before; }, milliseconds(1500)));
}

}  // namespace
}  // namespace portunus::test
