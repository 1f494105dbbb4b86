#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>
#include <vector>

#include "tests/dataplane/support/crowd.hpp"
#include "tests/dataplane/support/engine.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

using dataplane::Forwarder;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

enum class Path { userspace, splice, capped };

/// Rules of one owner on two cores, on each copy path (QUO-2).
class Quota : public testing::TestWithParam<Path> {
 protected:
  struct Pair {
    Socket down;
    Socket up;
  };

  std::uint16_t serve(std::uint64_t id = 1) {
    model::RuleSpec spec = Engine::rule(id, 0, target_.port());
    spec.owner_id = "alice";
    // A cap that is never felt: only the path is to be another.
    if (GetParam() == Path::capped) {
      spec.rate_limit = model::RateLimit{.bandwidth_in_bps = std::uint64_t{1} << 40};
    }
    return engine_.serve(spec);
  }
  void set(std::uint64_t remaining, bool exhausted = false) {
    engine_.on_owner([&](Forwarder& f) { f.set_quota("alice", remaining, exhausted); });
  }
  void remove() {
    engine_.on_owner([&](Forwarder& f) { f.remove_quota("alice"); });
  }
  Pair connect(std::uint16_t port) {
    Socket down = Socket::connect_v4(port);
    return {std::move(down), target_.accept()};
  }
  bool refused(std::uint16_t port) {
    Socket down = Socket::connect_v4(port);
    down.receive_all();
    return down.error() == ECONNRESET && !target_.pending();
  }
  std::uint64_t delivered(std::uint64_t id = 1) const {
    const auto traffic = engine_.traffic(id);
    return traffic.bytes_in + traffic.bytes_out;
  }
  bool all_closed(std::uint64_t id = 1) {
    return eventually([&] { return engine_.traffic(id).active_connections == 0; });
  }

  const LogCapture log_;
  Acceptor target_;
  Engine engine_{{.workers = 2, .splice = GetParam() == Path::splice}};
};

TEST_P(Quota, QUO_3_one_connection_delivers_the_budget_to_the_byte_and_ends_cleanly) {
  const auto port = serve();
  set(3'000'017);
  auto [down, up] = connect(port);
  std::jthread sender([&] { down.send(noise(6'000'000, 1)); });
  EXPECT_TRUE(up.receive_all() == noise(6'000'000, 1).substr(0, 3'000'017));
  EXPECT_EQ(up.error(), 0);
  up.close();
  EXPECT_TRUE(all_closed());
  EXPECT_EQ(delivered(), 3'000'017U);
  EXPECT_EQ(log_.count("rule.conn_closed", {"\"bytes_in\":3000017,", "\"bytes_out\":0"}), 1U);
  EXPECT_EQ(log_.count("rule.conn_error"), 0U);
}

TEST_P(Quota, QUO_3_a_budget_that_ends_with_a_message_ends_the_connection_as_well) {
  const auto port = serve();
  set(10);
  auto [down, up] = connect(port);
  down.send("12345");
  EXPECT_EQ(up.receive(5), "12345");
  up.send("67890");
  EXPECT_EQ(down.receive_all(), "67890");
  EXPECT_EQ(down.error(), 0);
  EXPECT_EQ(up.receive_all(), "");
  EXPECT_EQ(up.error(), 0);
}

TEST_P(Quota, QUO_7_64_connections_deliver_the_budget_to_the_byte_in_both_directions) {
  const auto port = serve(1);
  const auto other = serve(2);
  Crowd crowd(port, target_, 32);
  Crowd others(other, target_, 32);
  constexpr std::uint64_t kBudget = 20'000'003;
  set(kBudget);
  std::jthread second([&] {
    others.pump({.down = true, .up = true},
                [&] { return others.ended_downs() == 32 && others.ended_ups() == 32; });
  });
  EXPECT_TRUE(crowd.pump({.down = true, .up = true},
                         [&] { return crowd.ended_downs() == 32 && crowd.ended_ups() == 32; }));
  second.join();
  EXPECT_EQ(crowd.broken() + others.broken(), 0U);
  EXPECT_TRUE(all_closed(1) && all_closed(2));
  EXPECT_EQ(delivered(1) + delivered(2), kBudget);
  // What the engine counts as delivered has arrived.
  EXPECT_EQ(
      crowd.received_in() + crowd.received_out() + others.received_in() + others.received_out(),
      kBudget);
  EXPECT_EQ(log_.count("rule.conn_closed"), 64U);
}

TEST_P(Quota, QUO_4_while_exhausted_new_connections_are_reset_before_dialling) {
  const auto port = serve();
  set(0);
  EXPECT_TRUE(refused(port));
  EXPECT_EQ(log_.count("rule.quota_reject", {"\"user\":\"alice\"", "\"peer\":\"127.0.0.1:",
                                             "\"listen_port\":" + std::to_string(port)}),
            1U);
  EXPECT_EQ(engine_.traffic(1).limit, model::LimitTraffic{}) << "not a rate-limit reject";
  EXPECT_EQ(log_.count("rule.rate_limit_reject"), 0U);
  set(1000, true);
  EXPECT_TRUE(refused(port)) << "the server's flag alone is enough";
}

TEST_P(Quota, QUO_5_idle_connections_of_every_rule_are_shut_at_once) {
  const auto port = serve(1);
  const auto other = serve(2);
  std::vector<Pair> idle;
  for (int i = 0; i < 8; ++i) idle.push_back(connect(i % 2 == 0 ? port : other));
  set(1000);
  auto [down, up] = connect(port);
  down.send(std::string(2000, 'x'));
  EXPECT_EQ(up.receive_all().size(), 1000U);
  const auto begin = Clock::now();
  for (Pair& pair : idle) {
    EXPECT_EQ(pair.down.receive_all(), "");
    EXPECT_EQ(pair.down.error(), 0);
    EXPECT_EQ(pair.up.receive_all(), "");
    EXPECT_EQ(pair.up.error(), 0);
  }
  // None of the peers closes its own side: the engine does not wait for that.
  EXPECT_TRUE(all_closed(1) && all_closed(2));
  EXPECT_LT(Clock::now() - begin, seconds(5));
  EXPECT_EQ(log_.count("rule.conn_closed"), 9U);
}

TEST_P(Quota, QUO_5_a_SET_that_exhausts_shuts_what_runs) {
  const auto port = serve();
  auto [down, up] = connect(port);
  down.send("x");
  EXPECT_EQ(up.receive(1), "x");
  set(1'000'000, true);
  EXPECT_EQ(down.receive_all(), "");
  EXPECT_EQ(up.receive_all(), "");
  EXPECT_TRUE(all_closed());
}

TEST_P(Quota, QUO_5_a_receiver_that_does_not_read_is_closed_all_the_same_and_refunded) {
  const auto port = serve();
  set(1'000'000'000);
  Pair stuck = connect(port);
  const std::string block = noise(1 << 20, 2);
  while (stuck.down.send_what_fits(block) > 0) ::usleep(20'000);
  set(50'000'000, true);
  EXPECT_TRUE(all_closed());
  const auto counted = delivered();
  EXPECT_EQ(stuck.up.receive_all().size(), counted);
}

TEST_P(Quota, QUO_1_metering_begins_and_ends_on_running_connections) {
  const auto port = serve();
  auto [down, up] = connect(port);
  down.send(std::string(5000, 'a'));
  EXPECT_EQ(up.receive(5000).size(), 5000U);
  set(1000);
  down.send(std::string(400, 'b'));
  EXPECT_EQ(up.receive(400).size(), 400U);
  remove();
  down.send(std::string(5000, 'c'));
  EXPECT_EQ(up.receive(5000).size(), 5000U);
  set(100);
  down.send(std::string(5000, 'd'));
  EXPECT_EQ(up.receive_all().size(), 100U);
}

TEST_P(Quota, DRN_5_draining_connections_stay_quota_bound) {
  const auto port = serve();
  auto [down, up] = connect(port);
  auto removed = engine_.remove(1, seconds(30));
  EXPECT_TRUE(eventually([&] { return !engine_.live(1); }));
  set(1000);
  down.send(std::string(5000, 'x'));
  EXPECT_EQ(up.receive_all().size(), 1000U);
  removed.get();
}

TEST_P(Quota, QUO_9_a_budget_that_is_set_again_counts_from_then_whatever_was_used) {
  // The server replays what it knows, which is less than what was delivered meanwhile.
  const auto port = serve();
  set(1000);
  auto [down, up] = connect(port);
  down.send(std::string(600, 'a'));
  EXPECT_EQ(up.receive(600).size(), 600U);
  set(1000);
  down.send(std::string(5000, 'b'));
  EXPECT_EQ(up.receive_all().size(), 1000U);
  up.close();
  EXPECT_TRUE(all_closed());
  EXPECT_EQ(delivered(), 1600U);
}

TEST_P(Quota, QUO_8_a_SET_resumes_service_at_once_and_a_refund_does_not_clear_the_flag) {
  const auto port = serve();
  set(100'000'000);
  Pair stuck = connect(port);
  const std::string block = noise(1 << 20, 3);
  while (stuck.down.send_what_fits(block) > 0) ::usleep(20'000);
  set(0, true);
  stuck.up.reset();
  EXPECT_TRUE(all_closed());
  EXPECT_TRUE(refused(port));
  set(10, false);
  auto [down, up] = connect(port);
  down.send(std::string(20, 'x'));
  EXPECT_EQ(up.receive_all().size(), 10U);
}

TEST_P(Quota, QUO_3_what_an_aborted_connection_did_not_deliver_is_for_the_others) {
  const auto port = serve();
  constexpr std::uint64_t kBudget = 30'000'000;
  set(kBudget);
  {
    Pair stuck = connect(port);
    const std::string block = noise(1 << 20, 4);
    while (stuck.down.send_what_fits(block) > 0) ::usleep(20'000);
    ASSERT_LT(delivered(), kBudget);
    stuck.up.reset();
    EXPECT_TRUE(all_closed());
  }
  auto [down, up] = connect(port);
  std::jthread sender([&] { down.send(noise(kBudget, 5)); });
  up.receive_all();
  up.close();
  EXPECT_TRUE(all_closed());
  EXPECT_EQ(delivered(), kBudget);
  EXPECT_TRUE(refused(port));
}

TEST_P(Quota, QUO_7_an_exhausted_connection_returns_no_pipe_with_foreign_bytes) {
  // SPL-5: what the quota cut off dies with the pipe. The next connection of the same worker gets
  // its own bytes only.
  const auto port = serve();
  for (int round = 0; round < 5; ++round) {
    set(1'000'003);
    auto [down, up] = connect(port);
    std::jthread sender([&] { down.send(std::string(3'000'000, 'a')); });
    EXPECT_EQ(up.receive_all().size(), 1'000'003U);
    remove();
    Pair next = connect(port);
    const std::string sent(500'000, 'b');
    std::jthread next_sender([&] { next.down.send(sent); });
    EXPECT_TRUE(next.up.receive(sent.size()) == sent);
  }
}

INSTANTIATE_TEST_SUITE_P(Forwarder, Quota,
                         testing::Values(Path::userspace, Path::splice, Path::capped),
                         [](const auto& param) {
                           switch (param.param) {
                             case Path::userspace:
                               return "userspace";
                             case Path::splice:
                               return "splice";
                             case Path::capped:
                               break;
                           }
                           return "capped";
                         });

}  // namespace
}  // namespace portunus::test
