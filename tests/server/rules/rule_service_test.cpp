#include "server/rules/rule_service.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <chrono>

#include "server/store/rule_store.hpp"
#include "tests/server/rules/rule_fixture.hpp"

namespace portunus::server::rules {
namespace {

using store::RuleState;
using RuleServiceTest = RuleFixture;

TEST_F(RuleServiceTest, CW_6_1_push_is_stored_pending_sent_and_activated) {
  const auto pending = send(request());
  ASSERT_EQ(sink_.sent.size(), 1U);
  const FakeSink::Sent sent = sink_.sent.front();
  EXPECT_EQ(sent.client_id, kEdge);
  EXPECT_EQ(sent.rule.value, 1U);
  EXPECT_EQ(shown(sent.rule).state, RuleState::pending);

  clock_.advance(std::chrono::seconds(1));
  status(sent.request_id, sent.rule, Outcome::activated);
  const auto row = finish(pending);
  ASSERT_TRUE(row) << row.error().text();
  EXPECT_EQ(row->state, RuleState::active);
  EXPECT_EQ(row->client_name, "edge-01");
  EXPECT_EQ(row->spec.owner_id, "root");
  EXPECT_EQ(row->last_state_change_at - row->created_at, std::chrono::seconds(1));

  EXPECT_EQ(log_.count("audit.rule_push",
                       {"\"outcome\":\"sent\"", "\"rule_id\":\"1\"", "\"listen_port\":18080",
                        "\"range_size\":1", "\"target\":\"10.0.0.5:80\"", sent.request_id}),
            1U);
  EXPECT_EQ(log_.count("audit.rule_push",
                       {"\"outcome\":\"activated\"", "\"level\":\"INFO\"", sent.request_id}),
            1U);
  restart();
  EXPECT_EQ(shown(sent.rule).state, RuleState::active);
}

TEST_F(RuleServiceTest, HTTP_8_5_failed_is_kept_with_its_reason_and_blocks_its_port) {
  const auto pending = send(request());
  status(sink_.sent[0].request_id, sink_.sent[0].rule, Outcome::failed, "permission_denied");
  const auto row = finish(pending);
  ASSERT_FALSE(row);
  EXPECT_EQ(row.error().text(), "activation_failed: permission_denied");
  EXPECT_EQ(shown(RuleId{1}).failure_reason, "permission_denied");
  EXPECT_EQ(log_.count("audit.rule_push", {"\"outcome\":\"failed\"", "\"level\":\"WARN\"",
                                           "\"reason\":\"permission_denied\""}),
            1U);

  const auto second = refuse(request());
  EXPECT_EQ(second.error().text(), "port_in_use: port 18080 already in use");
  restart();
  EXPECT_EQ(shown(RuleId{1}).failure_reason, "permission_denied");
  EXPECT_EQ(refuse(request()).error(), Errc::port_in_use);
  ASSERT_TRUE(io_.run(service_->remove(root_, RuleId{1})));
  EXPECT_EQ(activate().spec.id.value, 2U);
}

TEST_F(RuleServiceTest, HTTP_8_5_an_empty_reason_is_unspecified) {
  const auto pending = send(request());
  status(sink_.sent[0].request_id, sink_.sent[0].rule, Outcome::failed);
  EXPECT_EQ(finish(pending).error().text(), "activation_failed: unspecified");
}

TEST_F(RuleServiceTest, HTTP_8_5_any_other_status_leaves_the_rule_pending) {
  for (const Outcome outcome : {Outcome::removed, Outcome::other}) {
    const auto pending = send(request());
    const FakeSink::Sent sent = sink_.sent.back();
    status(sent.request_id, sent.rule, outcome);
    EXPECT_EQ(finish(pending).error().text(), "activation_failed: unexpected_outcome");
    EXPECT_EQ(shown(sent.rule).state, RuleState::pending);
  }
}

TEST_F(RuleServiceTest, HTTP_8_5_no_status_in_time_and_a_late_one_still_counts) {
  PushRequest hasty = request();
  hasty.ack_timeout = std::chrono::seconds(0);
  const auto row = finish(send(hasty));
  EXPECT_EQ(row.error(), Errc::ack_timeout);
  EXPECT_EQ(log_.count("audit.rule_push", {"\"outcome\":\"ack_timeout\"", "\"level\":\"WARN\""}),
            1U);
  EXPECT_EQ(shown(RuleId{1}).state, RuleState::pending);
  status(sink_.sent[0].request_id, RuleId{1}, Outcome::activated);
  expect_state(RuleId{1}, RuleState::active);
}

TEST_F(RuleServiceTest, HTTP_8_5_a_lost_stream_is_ack_timeout_to_the_operator) {
  const auto pending = send(request());
  sink_.live.clear();
  service_->end_session(kEdge);
  EXPECT_EQ(finish(pending).error(), Errc::ack_timeout);
  EXPECT_EQ(log_.count("audit.rule_push", {"\"outcome\":\"ack_lost\"", "\"level\":\"WARN\""}), 1U);
  EXPECT_EQ(log_.count("audit.rule_push", {"\"outcome\":\"ack_timeout\""}), 0U);
  EXPECT_EQ(shown(RuleId{1}).state, RuleState::pending);
}

TEST_F(RuleServiceTest, a_new_session_loses_the_waits_of_the_one_it_replaces) {
  const auto pending = send(request());
  EXPECT_EQ(begin_session(kEdge).size(), 1U);
  EXPECT_EQ(finish(pending).error(), Errc::ack_timeout);
}

TEST_F(RuleServiceTest, HTTP_8_5_stream_gone_before_the_send_stores_nothing) {
  sink_.accepts = false;
  EXPECT_EQ(refuse(request()).error(), Errc::client_not_connected);
  EXPECT_EQ(service_->count(), 0U);
  restart();
  EXPECT_EQ(service_->count(), 0U);
  sink_.accepts = true;
  EXPECT_EQ(activate().spec.id.value, 2U);  // the undone id is not given again
}

TEST_F(RuleServiceTest, the_client_may_be_given_by_id) {
  PushRequest asked = request();
  asked.client = kEdge;
  const auto pending = send(asked);
  status(sink_.sent[0].request_id, RuleId{1}, Outcome::activated);
  EXPECT_EQ(finish(pending)->client_name, "edge-01");
}

TEST_F(RuleServiceTest, an_owner_that_is_gone_is_not_persisted) {
  const Actor ghost{"ghost", true};
  const auto row = io_.run(service_->push(ghost, request()));
  EXPECT_EQ(row.error(), Errc::activation_failed);
  EXPECT_TRUE(row.error().detail.starts_with("persist_rule: ")) << row.error().detail;
  EXPECT_TRUE(sink_.sent.empty());
}

TEST_F(RuleServiceTest, HTTP_8_7_remove_deletes_tells_and_does_not_wait) {
  const RuleId id = activate().spec.id;
  ASSERT_TRUE(io_.run(service_->remove(root_, id)));
  ASSERT_EQ(sink_.sent.size(), 2U);
  EXPECT_FALSE(sink_.sent[1].push);
  EXPECT_EQ(service_->count(), 0U);
  EXPECT_EQ(service_->current(id), nullptr);
  EXPECT_EQ(log_.count("audit.rule_remove", {"\"outcome\":\"success\"", "\"level\":\"INFO\"",
                                             "\"rule_id\":\"1\"", sink_.sent[1].request_id}),
            1U);
  EXPECT_EQ(io_.run(service_->remove(root_, id)).error(), Errc::rule_not_found);

  // The answer to the REMOVE is expected, a second one is not.
  status(sink_.sent[1].request_id, id, Outcome::removed);
  EXPECT_EQ(log_.count("client.rule_status_unmatched"), 0U);
  status(sink_.sent[1].request_id, id, Outcome::removed);
  EXPECT_EQ(log_.count("client.rule_status_unmatched"), 1U);
  restart();
  EXPECT_EQ(service_->count(), 0U);
}

TEST_F(RuleServiceTest, HTTP_4_rules_that_a_cascade_took_are_told_of_as_by_a_removal) {
  const RuleId id = activate().spec.id;
  const auto pending = send(request(18081));
  const RuleId waiting = sink_.sent.back().rule;
  std::vector<store::RemovedRule> gone;
  ASSERT_TRUE(store_->write_now([&](store::Connection& c) -> Result<> {
    for (const RuleId rule : {id, waiting, RuleId{99}}) {
      auto removed = store::remove_rule_and_caps(c, rule);
      if (!removed) return fail(removed.error());
      if (*removed) gone.push_back(**removed);
    }
    return {};
  }));
  ASSERT_EQ(gone.size(), 2U);
  EXPECT_EQ(gone[0].owner_id, "root");
  EXPECT_EQ(gone[0].client, (store::ClientRef{kEdge, "edge-01"}));
  service_->on_removed(gone);
  EXPECT_EQ(service_->count(), 0U);
  ASSERT_EQ(sink_.sent.size(), 4U);
  EXPECT_FALSE(sink_.sent[2].push);
  EXPECT_EQ(sink_.sent[3].rule, waiting);
  EXPECT_EQ(finish(pending).error().text(), "activation_failed: unexpected_outcome");
  EXPECT_EQ(log_.count("audit.rule_remove", {"\"outcome\":\"success\""}), 2U);
  service_->on_removed(gone);  // and once only
  EXPECT_EQ(sink_.sent.size(), 4U);
}

TEST_F(RuleServiceTest, removing_for_an_unreachable_client_succeeds_with_a_warning) {
  const RuleId id = activate().spec.id;
  sink_.live.clear();
  ASSERT_TRUE(io_.run(service_->remove(root_, id)));
  EXPECT_EQ(
      log_.count("audit.rule_remove", {"\"outcome\":\"client_unreachable\"", "\"level\":\"WARN\""}),
      1U);
}

TEST_F(RuleServiceTest, only_the_owner_or_a_superadmin_removes) {
  const RuleId id = activate().spec.id;
  EXPECT_EQ(io_.run(service_->remove({"alice", false}, id)).error(), Errc::not_owner);
  EXPECT_EQ(io_.run(service_->remove({"alice", false}, RuleId{99})).error(), Errc::rule_not_found);
  EXPECT_TRUE(io_.run(service_->remove({"root", false}, id)));
}

TEST_F(RuleServiceTest, two_removals_of_one_rule_tell_the_client_once) {
  const RuleId id = activate().spec.id;
  auto first = io_.start(service_->remove(root_, id));
  auto second = io_.start(service_->remove(root_, id));
  io_.run_until([&] { return first->has_value() && second->has_value(); });
  EXPECT_TRUE((*first)->has_value());
  EXPECT_EQ((*second)->error(), Errc::rule_not_found);
  EXPECT_EQ(sink_.sent.size(), 2U);
}

TEST_F(RuleServiceTest, removing_a_rule_ends_the_wait_for_its_status) {
  const auto pending = send(request());
  ASSERT_TRUE(io_.run(service_->remove(root_, RuleId{1})));
  EXPECT_EQ(finish(pending).error().text(), "activation_failed: unexpected_outcome");
  status(sink_.sent[0].request_id, RuleId{1}, Outcome::activated);
  EXPECT_EQ(log_.count("client.rule_status_unmatched"), 1U);
  EXPECT_EQ(service_->count(), 0U);
}

TEST_F(RuleServiceTest, lists_are_ascending_and_filtered) {
  activate(1001);
  activate(1002);
  const auto all = service_->list(root_, {}).rules;
  ASSERT_EQ(all.size(), 2U);
  EXPECT_LT(all[0].row.spec.id, all[1].row.spec.id);
  const auto count = [&](const Actor& actor, const RuleFilter& filter) {
    const RulePage page = service_->list(actor, filter);
    EXPECT_FALSE(page.next);
    return page.rules.size();
  };
  EXPECT_EQ(count(root_, {.client_name = "edge-01", .owner_id = {}}), 2U);
  EXPECT_EQ(count(root_, {.client_name = "edge-02", .owner_id = {}}), 0U);
  EXPECT_EQ(count(root_, {.client_name = {}, .owner_id = "root"}), 2U);
  EXPECT_EQ(count(root_, {.client_name = {}, .owner_id = "alice"}), 0U);
  EXPECT_EQ(count({"alice", false}, {}), 0U);
  EXPECT_EQ(count({"root", false}, {}), 2U);
}

TEST_F(RuleServiceTest, a_part_of_a_list_looks_at_a_bounded_number_of_rules) {
  const RuleId first = activate(1001).spec.id;
  const RuleId second = activate(1002).spec.id;
  const RulePage part = service_->list(root_, {}, RuleId{0}, 1);
  ASSERT_EQ(part.rules.size(), 1U);
  EXPECT_EQ(part.rules[0].row.spec.id, first);
  EXPECT_EQ(part.next, first);
  const RulePage rest = service_->list(root_, {}, first, 64);
  ASSERT_EQ(rest.rules.size(), 1U);
  EXPECT_EQ(rest.rules[0].row.spec.id, second);
  EXPECT_FALSE(rest.next);
  EXPECT_TRUE(service_->list(root_, {}, second).rules.empty());

  const RuleFilter nothing{.client_name = "edge-02", .owner_id = {}};
  const RulePage in_vain = service_->list(root_, nothing, RuleId{0}, 1);
  EXPECT_TRUE(in_vain.rules.empty());
  EXPECT_EQ(in_vain.next, first) << "what does not match counts as well";
  EXPECT_FALSE(service_->list(root_, nothing, first, 1).next);
}

TEST_F(RuleServiceTest, a_cancelled_caller_leaves_nothing_half_done) {
  boost::asio::cancellation_signal stop;
  bool ended = false;
  boost::asio::co_spawn(io_.context(), service_->push(root_, request()),
                        boost::asio::bind_cancellation_slot(
                            stop.slot(), [&](std::exception_ptr, auto) { ended = true; }));
  io_.run_until([&] { return sink_.sent.size() == 1; });
  stop.emit(boost::asio::cancellation_type::terminal);
  io_.poll();
  EXPECT_FALSE(ended);
  status(sink_.sent[0].request_id, RuleId{1}, Outcome::activated);
  io_.run_until([&] { return ended; });
  EXPECT_EQ(shown(RuleId{1}).state, RuleState::active);
}

TEST_F(RuleServiceTest, stopping_ends_waits_and_refuses_pushes) {
  const auto pending = send(request());
  service_->request_stop();
  EXPECT_EQ(finish(pending).error(), Errc::ack_timeout);
  EXPECT_EQ(refuse(request(1)).error(), Errc::client_not_connected);
  status(sink_.sent[0].request_id, RuleId{1}, Outcome::activated);  // ignored
  io_.poll();
  EXPECT_EQ(shown(RuleId{1}).state, RuleState::pending);
}

TEST_F(RuleServiceTest, a_full_store_fails_the_push_and_the_mirror_agrees) {
  store_->close();
  EXPECT_EQ(refuse(request()).error(), store::Errc::closed);
  EXPECT_EQ(service_->count(), 0U);
  EXPECT_TRUE(sink_.sent.empty());
}

TEST_F(RuleServiceTest, a_thousand_rules_hydrate_quickly) {
  ASSERT_TRUE(store_->write_now([&](store::Connection& c) -> Result<> {
    store::RuleRow row;
    row.spec.targets = {{"10.0.0.5", 80}};
    row.spec.owner_id = "root";
    row.client_id = kEdge;
    row.client_name = "edge-01";
    row.created_at = row.last_state_change_at = clock_.now();
    for (std::uint16_t i = 0; i < 1000; ++i) {
      row.spec.listen_port = static_cast<std::uint16_t>(10'000 + i);
      row.state = i % 10 == 0 ? RuleState::failed : RuleState::active;
      row.failure_reason = "port_in_use";
      if (const auto id = store::insert_rule(c, row); !id) return fail(id.error());
    }
    return {};
  }));
  stop_service();
  const auto start = std::chrono::steady_clock::now();
  start_service();
  const auto replay = begin_session(kEdge);
  const auto took = std::chrono::steady_clock::now() - start;
  RecordProperty("hydrate_us", static_cast<int>(took / std::chrono::microseconds(1)));
  EXPECT_LT(took, std::chrono::milliseconds(500));
  EXPECT_EQ(service_->count(), 1000U);
  EXPECT_EQ(replay.size(), 900U);
  EXPECT_EQ(log_.count("rules.hydrated", {"\"count\":1000"}), 1U);
}

}  // namespace
}  // namespace portunus::server::rules
