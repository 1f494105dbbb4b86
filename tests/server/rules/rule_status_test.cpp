#include <gtest/gtest.h>

#include "tests/server/rules/rule_fixture.hpp"

// How statuses find what they answer, and the replay (control-wire 6.2, 6.3).

namespace portunus::server::rules {
namespace {

using store::RuleState;

class RuleStatusTest : public RuleFixture {
 protected:
  std::size_t unmatched() const { return log_.count("client.rule_status_unmatched"); }
};

TEST_F(RuleStatusTest, CW_6_3_an_empty_or_unknown_id_settles_a_wait_for_the_rule) {
  for (const char* id : {"", "r-of-another-time"}) {
    const auto pending = send(request());
    const RuleId rule = sink_.sent.back().rule;
    status(id, rule, Outcome::failed, "range_invalid");
    EXPECT_EQ(finish(pending).error().text(), "activation_failed: range_invalid");
    ASSERT_TRUE(io_.run(service_->remove(root_, rule)));
  }
  EXPECT_EQ(unmatched(), 0U);
}

TEST_F(RuleStatusTest, CW_6_3_unsolicited_statuses_count) {
  const RuleId id = activate().spec.id;
  clock_.advance(std::chrono::seconds(5));
  status("", id, Outcome::failed, "unexpected_task_exit:listener");
  expect_state(id, RuleState::failed);
  EXPECT_EQ(shown(id).failure_reason, "unexpected_task_exit:listener");
  EXPECT_EQ(shown(id).last_state_change_at, clock_.now());
  status("x", id, Outcome::activated);
  expect_state(id, RuleState::active);
  EXPECT_EQ(shown(id).failure_reason, "");
  EXPECT_EQ(unmatched(), 0U);
}

TEST_F(RuleStatusTest, CW_6_3_removed_and_unknown_outcomes_change_nothing) {
  const RuleId id = activate().spec.id;
  status("", id, Outcome::removed);
  status("", id, Outcome::other);
  io_.poll();
  EXPECT_EQ(shown(id).state, RuleState::active);
  EXPECT_EQ(unmatched(), 2U);
}

TEST_F(RuleStatusTest, a_status_for_an_unknown_rule_changes_nothing) {
  status("", RuleId{99}, Outcome::activated);
  EXPECT_EQ(unmatched(), 1U);
  EXPECT_EQ(service_->count(), 0U);
}

TEST_F(RuleStatusTest, CW_6_3_a_status_for_another_clients_rule_is_ignored) {
  const auto pending = send(request());
  const FakeSink::Sent sent = sink_.sent.back();
  service_->on_status(kOther, "edge-02", sent.request_id, sent.rule, Outcome::failed, "x");
  io_.poll();
  EXPECT_FALSE(pending->has_value());
  EXPECT_EQ(shown(sent.rule).state, RuleState::pending);
  EXPECT_EQ(log_.count("client.rule_status_wrong_client",
                       {"\"client_name\":\"edge-02\"", "\"rule_owner\":\"edge-01\"",
                        "\"level\":\"WARN\""}),
            1U);
  status(sent.request_id, sent.rule, Outcome::activated);
  EXPECT_TRUE(finish(pending));
}

TEST_F(RuleStatusTest, the_id_of_another_request_does_not_settle_a_push) {
  const auto first = send(request(1001));
  const auto second = send(request(1002));
  // The id belongs to rule 1, the status speaks of rule 2: rule 2's own wait is settled.
  status(sink_.sent[0].request_id, sink_.sent[1].rule, Outcome::activated);
  EXPECT_EQ(finish(second)->spec.id.value, 2U);
  EXPECT_FALSE(first->has_value());
  status(sink_.sent[0].request_id, sink_.sent[0].rule, Outcome::activated);
  EXPECT_EQ(finish(first)->spec.id.value, 1U);
}

TEST_F(RuleStatusTest, statuses_of_one_rule_apply_in_their_order) {
  const RuleId id = activate().spec.id;
  status("", id, Outcome::failed, "a");
  status("", id, Outcome::activated);  // no shortcut past the write that is under way
  status("", id, Outcome::failed, "b");
  status("", id, Outcome::activated);
  EXPECT_TRUE(io_.run(service_->drain(std::chrono::seconds(5))));
  EXPECT_EQ(shown(id).state, RuleState::active);
  restart();
  EXPECT_EQ(shown(id).state, RuleState::active);
}

TEST_F(RuleStatusTest, an_edge_that_floods_statuses_costs_one_write_at_a_time_and_few_lines) {
  const RuleId id = activate().spec.id;
  for (int i = 0; i < 1000; ++i) {
    status("", id, i % 2 == 0 ? Outcome::failed : Outcome::activated, "flap");
    status("", RuleId{99}, Outcome::activated);
  }
  EXPECT_EQ(unmatched(), 10U);
  clock_.advance(std::chrono::seconds(1));
  status("", RuleId{99}, Outcome::activated);
  EXPECT_EQ(log_.count("client.rule_status_unmatched", {"\"suppressed\":990"}), 1U);
  // Another edge has lines of its own.
  service_->on_status(kOther, "edge-02", "", RuleId{99}, Outcome::activated, "");
  EXPECT_EQ(unmatched(), 12U);
  status("", id, Outcome::failed, "last");
  expect_state(id, RuleState::failed);
  EXPECT_TRUE(io_.run(service_->drain(std::chrono::seconds(5))));
  EXPECT_EQ(shown(id).failure_reason, "last");
  restart();
  EXPECT_EQ(shown(id).failure_reason, "last");
}

TEST_F(RuleStatusTest, CW_6_2_a_rule_that_fails_before_its_turn_in_the_replay_is_not_sent) {
  const RuleId id = activate().spec.id;
  ASSERT_EQ(begin_session(kEdge).size(), 1U);
  EXPECT_NE(service_->current(id), nullptr);
  status("", id, Outcome::failed, "unexpected_task_exit:Demux");
  expect_state(id, RuleState::failed);
  EXPECT_EQ(service_->current(id), nullptr);
}

TEST_F(RuleStatusTest, CW_6_2_replays_active_and_pending_ascending_never_failed) {
  activate(1001);
  const auto failing = send(request(1002));
  status(sink_.sent.back().request_id, sink_.sent.back().rule, Outcome::failed, "bind_failed");
  (void)finish(failing);
  const auto waiting = send(request(1003));
  activate(1004);
  service_->end_session(kEdge);
  (void)finish(waiting);

  const auto replay = begin_session(kEdge);
  ASSERT_EQ(replay.size(), 3U);
  EXPECT_EQ(replay[0].listen_port, 1001);
  EXPECT_EQ(replay[1].listen_port, 1003);
  EXPECT_EQ(replay[2].listen_port, 1004);
  EXPECT_TRUE(begin_session(kOther).empty());
  EXPECT_EQ(shown(replay[0].id).state, RuleState::pending);
  EXPECT_EQ(shown(RuleId{2}).state, RuleState::failed);
}

TEST_F(RuleStatusTest, CW_6_2_a_replayed_rule_is_pending_until_its_status_and_none_is_lost) {
  const RuleId id = activate().spec.id;
  const auto activated_at = shown(id).last_state_change_at;
  clock_.advance(std::chrono::hours(1));
  for (int cut = 0; cut < 3; ++cut) {  // sessions that break off in mid-replay
    EXPECT_EQ(begin_session(kEdge).size(), 1U);
    EXPECT_EQ(shown(id).state, RuleState::pending);
    service_->end_session(kEdge);
  }
  EXPECT_EQ(begin_session(kEdge).size(), 1U);
  service_->expect_status(kEdge, "replay-1", id);
  status("replay-1", id, Outcome::activated);
  expect_state(id, RuleState::active);
  EXPECT_EQ(shown(id).last_state_change_at, activated_at);  // adopted: the store never changed
  EXPECT_EQ(unmatched(), 0U);

  begin_session(kEdge);
  service_->expect_status(kEdge, "replay-2", id);
  status("replay-2", id, Outcome::failed, "port_in_use");
  expect_state(id, RuleState::failed);
  restart();
  EXPECT_EQ(shown(id).state, RuleState::failed);
}

TEST_F(RuleStatusTest, CW_6_2_what_goes_while_a_replay_runs_is_not_sent_after_its_remove) {
  activate(1001);
  activate(1002);
  sink_.sent.clear();
  const auto replay = begin_session(kEdge);
  ASSERT_TRUE(io_.run(service_->remove(root_, replay[1].id)));
  // The session asks before each PUSH of its replay.
  EXPECT_NE(service_->current(replay[0].id), nullptr);
  EXPECT_EQ(service_->current(replay[1].id), nullptr);
}

TEST_F(RuleStatusTest, a_first_enrollment_binds_and_a_rename_does_not) {
  const RuleId id = activate().spec.id;
  service_->on_client_removed(kEdge);
  EXPECT_EQ(shown(id).client_id, std::nullopt);
  EXPECT_EQ(shown(id).client_name, "edge-01");
  EXPECT_TRUE(begin_session(kEdge).empty());

  service_->on_client_changed(kOther, "edge-01");
  EXPECT_EQ(shown(id).client_id, std::nullopt);
  service_->on_client_enrolled(kOther, "edge-01");
  EXPECT_EQ(shown(id).client_id, kOther);
  EXPECT_EQ(begin_session(kOther).size(), 1U);
  service_->on_client_changed(kOther, "edge-03");
  EXPECT_EQ(shown(id).client_name, "edge-03");
}

}  // namespace
}  // namespace portunus::server::rules
