#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cmath>
#include <thread>
#include <vector>

#include "tests/dataplane/support/crowd.hpp"
#include "tests/dataplane/support/engine.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

using dataplane::Forwarder;
using model::RateLimit;
using model::Reject;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::uint64_t rejects(const model::LimitTraffic& limit, Reject reason) {
  return limit.rejects[static_cast<std::size_t>(reason)];
}

/// Never reached: a limiter reports its live count only under a cap.
const RateLimit kRoomy{.concurrent_connections = 1000};

/// A rule of an owner on two cores, with and without splice where nothing is capped.
class Limits : public testing::TestWithParam<bool> {
 protected:
  model::RuleSpec spec(std::uint64_t id = 1, std::optional<RateLimit> limit = std::nullopt) const {
    model::RuleSpec out = Engine::rule(id, 0, target_.port());
    out.owner_id = "alice";
    out.rate_limit = limit;
    return out;
  }
  void limit_rule(const std::optional<RateLimit>& envelope) {
    engine_.on_owner([&](Forwarder& f) { f.limit_rule(RuleId{1}, envelope); });
  }
  void limit_owner(const std::optional<RateLimit>& envelope) {
    engine_.on_owner([&](Forwarder& f) { f.limit_owner("alice", envelope); });
  }
  model::LimitTraffic rule(std::uint64_t id = 1) const { return engine_.traffic(id).limit; }
  model::LimitTraffic owner() {
    const auto owners = engine_.on_owner([](Forwarder& f) { return f.owners(); });
    for (const auto& entry : owners) {
      if (entry.owner_id == "alice") return entry.limit;
    }
    return {};
  }
  std::uint64_t connections_total() {
    const auto local = engine_.on_owner([](Forwarder& f) { return f.local_counters(); });
    return local.empty() ? 0 : local.front().connections_total;
  }
  struct Pair {
    Socket down;
    Socket up;
  };
  Pair connect(std::uint16_t port) {
    Socket down = Socket::connect_v4(port);
    return {std::move(down), target_.accept()};
  }
  /// True when the connection is reset and the target never sees it.
  bool refused(std::uint16_t port) {
    Socket down = Socket::connect_v4(port);
    down.receive_all();
    return down.error() == ECONNRESET && !target_.pending();
  }

  const LogCapture log_;
  Acceptor target_;
  Engine engine_{{.workers = 2, .splice = GetParam()}};
};

TEST_P(Limits, RL_5_and_RL_3_beyond_the_ceiling_a_connection_is_reset_until_a_slot_is_free) {
  limit_owner(kRoomy);
  const auto port = engine_.serve(spec(1, RateLimit{.concurrent_connections = 2}));
  Pair first = connect(port);
  const Pair second = connect(port);
  EXPECT_TRUE(refused(port));
  EXPECT_TRUE(refused(port));
  EXPECT_EQ(rejects(rule(), Reject::conn_concurrent), 2U);
  EXPECT_EQ(rule().active, 2U);
  EXPECT_EQ(owner().active, 2U) << "a refusal of the rule kept the owner's slot (RL-2)";
  EXPECT_EQ(connections_total(), 2U);
  EXPECT_EQ(log_.count("rule.rate_limit_reject",
                       {"\"scope\":\"rule\"", "\"reason\":\"conn_concurrent\"",
                        "\"listen_port\":" + std::to_string(port), "\"peer\":\"127.0.0.1:"}),
            2U);
  first.down.close();
  first.up.close();
  ASSERT_TRUE(eventually([&] { return rule().active == 1; }));
  Pair third = connect(port);
  third.down.send("served");
  EXPECT_EQ(third.up.receive(6), "served");
}

TEST_P(Limits, RL_2_and_RL_6_the_owner_refuses_first_and_counts_alone) {
  limit_owner(RateLimit{.concurrent_connections = 1});
  const auto port = engine_.serve(spec(1, RateLimit{.concurrent_connections = 1}));
  const auto other = engine_.serve(spec(2));
  Pair pair = connect(port);
  EXPECT_TRUE(refused(port));
  EXPECT_TRUE(refused(other)) << "the owner's ceiling is for all his rules";
  EXPECT_EQ(rejects(owner(), Reject::owner_concurrent), 2U);
  EXPECT_EQ(rejects(rule(), Reject::conn_concurrent), 0U);
  EXPECT_EQ(rejects(rule(), Reject::owner_concurrent), 0U);
  EXPECT_EQ(log_.count("rule.rate_limit_reject", {"\"scope\":\"owner\"", "owner_concurrent"}), 2U);
}

TEST_P(Limits, RL_4_and_RL_6_new_connections_per_second) {
  const auto port =
      engine_.serve(spec(1, RateLimit{.new_connections_per_sec = 1, .new_connections_burst = 2}));
  std::vector<Pair> admitted;
  admitted.push_back(connect(port));
  admitted.push_back(connect(port));
  // The bucket may have gained a token meanwhile, on a slow machine.
  std::size_t refusals = 0;
  for (int i = 0; i < 4; ++i) refusals += refused(port) ? 1 : 0;
  EXPECT_GE(refusals, 1U);
  EXPECT_EQ(rejects(rule(), Reject::conn_rate), refusals);
  EXPECT_EQ(rejects(rule(), Reject::conn_concurrent), 0U);
  // A connection that lives costs nothing more.
  for (Pair& pair : admitted) {
    pair.down.send("x");
    EXPECT_EQ(pair.up.receive(1), "x");
  }
}

TEST_P(Limits, RL_3_a_failed_dial_and_an_aborted_drain_give_the_slots_back) {
  limit_owner(kRoomy);
  std::uint16_t nobody = 0;
  {
    const Acceptor gone;
    nobody = gone.port();
  }
  model::RuleSpec lost = spec(1, RateLimit{.concurrent_connections = 1});
  lost.targets.front().port = nobody;
  const auto lost_port = engine_.serve(lost);
  for (int i = 0; i < 5; ++i) {
    Socket client = Socket::connect_v4(lost_port);
    client.receive_all();
    EXPECT_EQ(client.error(), 0) << "refused by the gate";
    EXPECT_TRUE(eventually([&] { return rule().active == 0; }));
  }
  const auto port = engine_.serve(spec(2));
  const Pair pair = connect(port);
  EXPECT_EQ(owner().active, 1U);
  engine_.remove(2, milliseconds(0)).get();
  EXPECT_EQ(owner().active, 0U);
}

TEST_P(Limits, DRN_5_draining_connections_stay_counted_and_limited) {
  limit_owner(RateLimit{.concurrent_connections = 1});
  const auto port =
      engine_.serve(spec(1, RateLimit{.bandwidth_in_bps = 200'000, .bandwidth_in_burst = 2'000}));
  const auto other = engine_.serve(spec(2));
  Pair pair = connect(port);
  auto removed = engine_.remove(1, seconds(30));
  EXPECT_TRUE(refused(other)) << "the draining connection holds the owner's slot";
  EXPECT_EQ(owner().active, 1U);
  const auto begin = Clock::now();
  const std::string sent(102'000, 'x');
  std::jthread sender([&] { pair.down.send(sent); });
  EXPECT_TRUE(pair.up.receive(sent.size()) == sent);
  EXPECT_GE(Clock::now() - begin, milliseconds(450)) << "the cap ended with the rule";
  sender.join();
  pair = {};
  removed.get();
  ASSERT_TRUE(eventually([&] { return owner().active == 0; }));
  connect(other);
}

TEST_P(Limits, RL_12_lowering_the_ceiling_disconnects_nobody_and_counts_survive) {
  const auto port = engine_.serve(spec());
  std::vector<Pair> pairs;
  for (int i = 0; i < 3; ++i) pairs.push_back(connect(port));
  limit_rule(RateLimit{.concurrent_connections = 2});
  EXPECT_TRUE(refused(port)) << "a rule activated without any cap (RL-10)";
  for (Pair& pair : pairs) {
    pair.down.send("alive");
    EXPECT_EQ(pair.up.receive(5), "alive");
  }
  pairs.pop_back();
  ASSERT_TRUE(eventually([&] { return rule().active == 2; }));
  EXPECT_TRUE(refused(port));
  pairs.pop_back();
  ASSERT_TRUE(eventually([&] { return rule().active == 1; }));
  pairs.push_back(connect(port));
  limit_rule(std::nullopt);
  pairs.push_back(connect(port));
  limit_rule(kRoomy);
  EXPECT_EQ(rule().active, 3U) << "what was admitted without a cap is counted once there is one";
}

TEST_P(Limits, RL_12_an_owner_s_envelope_and_statistics_outlive_his_rules) {
  limit_owner(RateLimit{.concurrent_connections = 1});
  auto port = engine_.serve(spec(1));
  {
    const Pair pair = connect(port);
    EXPECT_TRUE(refused(port));
  }
  engine_.remove(1, milliseconds(0)).get();
  EXPECT_EQ(rejects(owner(), Reject::owner_concurrent), 1U);
  port = engine_.serve(spec(2));
  const Pair pair = connect(port);
  EXPECT_TRUE(refused(port));
  EXPECT_EQ(rejects(owner(), Reject::owner_concurrent), 2U);
}

TEST_P(Limits, RL_7_a_parked_direction_stops_reading_and_the_other_one_goes_on) {
  const auto port =
      engine_.serve(spec(1, RateLimit{.bandwidth_in_bps = 20'000, .bandwidth_in_burst = 20'000}));
  Pair pair = connect(port);
  // Backpressure: what the cap holds back stays with the sender, but for the kernel's buffers.
  const std::string block = noise(1 << 20, 1);
  std::uint64_t accepted = 0;
  EXPECT_TRUE(eventually([&] {
    const std::size_t n = pair.down.send_what_fits(block);
    accepted += n;
    return n == 0;
  }));
  EXPECT_LT(accepted, 64U << 20);
  const std::string answer = noise(1'000'000, 2);
  pair.up.send(answer);
  EXPECT_TRUE(pair.down.receive(answer.size()) == answer);
  EXPECT_LT(engine_.traffic(1).bytes_in, 1'000'000U) << "the cap holds nothing back";
  EXPECT_TRUE(eventually([&] { return rule().throttle_us_in > 0; }));
  EXPECT_EQ(rule().throttle_us_out, 0U);
  EXPECT_EQ(owner().throttle_us_in, 0U);
  EXPECT_EQ(log_.count("rule.conn_error"), 0U);
}

TEST_P(Limits, RL_7_the_layer_that_lets_wait_counts_the_time) {
  limit_owner(RateLimit{.bandwidth_out_bps = 100'000, .bandwidth_out_burst = 10'000});
  const auto port = engine_.serve(spec(1, RateLimit{.bandwidth_out_bps = 10'000'000}));
  Pair pair = connect(port);
  const std::string answer = noise(40'000, 3);
  pair.up.send(answer);
  const auto begin = Clock::now();
  EXPECT_TRUE(pair.down.receive(answer.size()) == answer);
  const double waited = std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
  EXPECT_GE(waited, 250'000) << "30000 bytes beyond the burst at 100000 a second";
  EXPECT_GE(owner().throttle_us_out, 200'000U);
  EXPECT_EQ(owner().throttle_us_in, 0U);
  EXPECT_EQ(rule().throttle_us_out, 0U);
}

TEST_P(Limits, RL_9_bytes_are_the_same_through_the_smallest_burst) {
  const auto port =
      engine_.serve(spec(1, RateLimit{.bandwidth_in_bps = 300'000, .bandwidth_in_burst = 3000}));
  Pair pair = connect(port);
  const std::string sent = noise(200'001, 4);
  pair.down.send(sent);
  pair.down.half_close();
  EXPECT_TRUE(pair.up.receive_all() == sent);
  EXPECT_EQ(pair.up.error(), 0);
  EXPECT_EQ(engine_.traffic(1).bytes_in, sent.size());
}

TEST_P(Limits, RL_10_a_running_capped_connection_feels_the_change_and_keeps_its_path) {
  const auto port =
      engine_.serve(spec(1, RateLimit{.bandwidth_in_bps = 10'000, .bandwidth_in_burst = 10'000}));
  Pair pair = connect(port);
  const std::string sent = noise(500'000, 5);
  pair.down.send(sent);
  EXPECT_EQ(pair.up.receive(10'000).size(), 10'000U);
  const auto begin = Clock::now();
  limit_rule(std::nullopt);
  EXPECT_TRUE(pair.up.receive(490'000) == sent.substr(10'000));
  EXPECT_LT(Clock::now() - begin, seconds(10)) << "49 seconds under the old cap";
  EXPECT_EQ(log_.count("proxy.splice_selected"), 0U);
  // And under a cap again, on the same connection.
  limit_rule(RateLimit{.bandwidth_in_bps = 100'000, .bandwidth_in_burst = 1000});
  const auto again = Clock::now();
  pair.down.send(noise(30'000, 6));
  EXPECT_EQ(pair.up.receive(30'000).size(), 30'000U);
  EXPECT_GE(Clock::now() - again, milliseconds(250));
}

TEST_P(Limits, RL_10_a_cap_added_later_binds_new_connections_and_leaves_running_ones_alone) {
  const auto port = engine_.serve(spec());
  Pair old = connect(port);
  old.down.send("x");
  EXPECT_EQ(old.up.receive(1), "x");
  limit_rule(RateLimit{.bandwidth_in_bps = 1000, .bandwidth_in_burst = 10});
  const std::string sent = noise(1'000'000, 7);
  std::jthread sender([&] { old.down.send(sent); });
  EXPECT_TRUE(old.up.receive(sent.size()) == sent) << "section 5: the path is settled once";
  Pair young = connect(port);
  const auto begin = Clock::now();
  young.down.send(std::string(300, 'y'));
  EXPECT_EQ(young.up.receive(300).size(), 300U);
  EXPECT_GE(Clock::now() - begin, milliseconds(250));
}

TEST_P(Limits, RL_7_a_parked_connection_can_be_removed_and_reset) {
  limit_owner(kRoomy);
  const auto port =
      engine_.serve(spec(1, RateLimit{.bandwidth_in_bps = 100, .bandwidth_in_burst = 100}));
  Pair parked = connect(port);
  Pair other = connect(port);
  parked.down.send(noise(10'000, 8));
  other.down.send(noise(10'000, 9));
  ASSERT_TRUE(eventually([&] { return rule().throttle_us_in > 0; }));
  other.up.reset();
  other.down.receive_all();
  EXPECT_EQ(other.down.error(), ECONNRESET);
  engine_.remove(1, milliseconds(0)).get();
  parked.up.receive_all();
  EXPECT_EQ(parked.up.error(), ECONNRESET);
  EXPECT_EQ(owner().active, 0U);
}

INSTANTIATE_TEST_SUITE_P(Forwarder, Limits, testing::Bool(),
                         [](const auto& param) { return param.param ? "splice" : "userspace"; });

struct Load {
  std::size_t connections;
  bool owner;
};

/// How exactly a cap holds.
class CapAccuracy : public testing::TestWithParam<Load> {};

TEST_P(CapAccuracy, RL_7_a_bandwidth_cap_holds_within_two_percent) {
  constexpr std::uint64_t kRate = 4'000'000;
  const RateLimit cap{.bandwidth_in_bps = kRate, .bandwidth_in_burst = kRate / 4};
  Acceptor target;
  Engine engine({.workers = 2});
  model::RuleSpec spec = Engine::rule(1, 0, target.port());
  spec.owner_id = "alice";
  if (GetParam().owner) {
    engine.on_owner([&](Forwarder& f) { f.limit_owner("alice", cap); });
  } else {
    spec.rate_limit = cap;
  }
  const auto port = engine.serve(spec);
  Crowd crowd(port, target, GetParam().connections);
  // Past the burst the rate is all there is.
  const auto delivered = [&] { return engine.traffic(1).bytes_in; };
  const Crowd::Senders up{.down = true};
  ASSERT_TRUE(crowd.pump(up, [&] { return delivered() > 2 * kRate / 4; }));
  const std::uint64_t before = delivered();
  const auto begin = Clock::now();
  ASSERT_TRUE(crowd.pump(up, [&] { return Clock::now() - begin >= milliseconds(2500); }));
  const double bytes = static_cast<double>(delivered() - before);
  const double expected = kRate * std::chrono::duration<double>(Clock::now() - begin).count();
  EXPECT_NEAR(bytes / expected, 1.0, 0.02);
}

INSTANTIATE_TEST_SUITE_P(Forwarder, CapAccuracy,
                         testing::Values(Load{1, false}, Load{64, false}, Load{1, true},
                                         Load{64, true}),
                         [](const auto& param) {
                           return std::to_string(param.param.connections) +
                                  (param.param.owner ? "_owner" : "_rule");
                         });

}  // namespace
}  // namespace portunus::test
