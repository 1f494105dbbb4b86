#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "server/store/rule_store.hpp"
#include "tests/server/rules/rule_fixture.hpp"

// A change of caps in place (http-api 8.6).

namespace portunus::server::rules {
namespace {

using store::RuleState;
using Change = std::function<void(PushRequest&)>;

constexpr model::RateLimit kCaps{.concurrent_connections = 7};

class RuleUpdateTest : public RuleFixture {
 protected:
  void SetUp() override { id_ = activate(original()).spec.id; }

  static PushRequest original() { return list_request(); }
  static PushRequest capped(PushRequest asked = original()) {
    asked.rate_limit = WantedCaps{.limit = kCaps};
    return asked;
  }
  Pending send_update(PushRequest asked) {
    const std::size_t before = sink_.sent.size();
    Pending pending = io_.start(service_->update(root_, id_, std::move(asked)));
    io_.run_until([&] { return sink_.sent.size() > before || pending->has_value(); });
    return pending;
  }
  Result<store::RuleRow> update(PushRequest asked, Outcome outcome = Outcome::activated,
                                std::string reason = "") {
    const Pending pending = send_update(std::move(asked));
    if (!pending->has_value()) {
      status(sink_.sent.back().request_id, id_, outcome, std::move(reason));
    }
    return finish(pending);
  }
  Error refusal(PushRequest asked, const Change& change) {
    change(asked);
    const auto row = io_.run(service_->update(root_, id_, std::move(asked)));
    return row ? Error(std::error_code()) : row.error();
  }
  Error refusal(const Change& change) { return refusal(capped(), change); }

  RuleId id_;
};

TEST_F(RuleUpdateTest, HTTP_8_6_new_caps_are_stored_and_sent_under_the_same_id) {
  const auto row = update(capped());
  ASSERT_TRUE(row) << row.error().text();
  EXPECT_EQ(row->spec.id, id_);
  EXPECT_EQ(row->state, RuleState::active);
  EXPECT_EQ(row->spec.rate_limit, kCaps);
  ASSERT_EQ(sink_.sent.size(), 2U);
  EXPECT_NE(sink_.sent[1].request_id, sink_.sent[0].request_id);
  model::RuleSpec expected = sink_.sent[0].spec;
  expected.rate_limit = kCaps;
  EXPECT_EQ(sink_.sent[1].spec, expected);  // the complete rule
  EXPECT_EQ(service_->current(id_)->rate_limit, kCaps);
  restart();
  EXPECT_EQ(shown(id_).spec.rate_limit, kCaps);
}

TEST_F(RuleUpdateTest, HTTP_8_6_absent_caps_and_empty_ones_remove) {
  for (const bool empty : {false, true}) {
    ASSERT_TRUE(update(capped()));
    PushRequest none = original();
    if (empty) none.rate_limit.emplace();
    const auto row = update(none);
    ASSERT_TRUE(row) << row.error().text();
    EXPECT_EQ(row->spec.rate_limit, std::nullopt);
    EXPECT_EQ(sink_.sent.back().spec.rate_limit, std::nullopt);
  }
  restart();
  EXPECT_EQ(shown(id_).spec.rate_limit, std::nullopt);
}

TEST_F(RuleUpdateTest, HTTP_8_6_any_status_in_time_is_the_answer_with_the_state_it_makes) {
  const auto failed = update(capped(), Outcome::failed, "bind_failed");
  ASSERT_TRUE(failed) << failed.error().text();
  EXPECT_EQ(failed->state, RuleState::failed);
  EXPECT_EQ(failed->failure_reason, "bind_failed");
  EXPECT_EQ(failed->spec.rate_limit, kCaps);
  const auto other = update(original(), Outcome::other);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->state, RuleState::failed);
  const auto active = update(capped());
  ASSERT_TRUE(active);
  EXPECT_EQ(active->state, RuleState::active);
}

TEST_F(RuleUpdateTest, HTTP_8_6_no_status_in_time_keeps_the_caps) {
  settings_.update_timeout = std::chrono::milliseconds(0);
  restart();
  const auto row = finish(send_update(capped()));
  EXPECT_EQ(row.error(), Errc::ack_timeout);
  EXPECT_EQ(shown(id_).spec.rate_limit, kCaps);
  EXPECT_EQ(log_.count("audit.rule_push", {"\"outcome\":\"ack_timeout\""}), 1U);
  restart();
  EXPECT_EQ(shown(id_).spec.rate_limit, kCaps);
}

TEST_F(RuleUpdateTest, HTTP_8_6_a_failed_send_keeps_the_caps) {
  sink_.accepts = false;
  EXPECT_EQ(refusal([](auto&) {}), Errc::client_lost);
  EXPECT_EQ(shown(id_).spec.rate_limit, kCaps);
  restart();
  EXPECT_EQ(shown(id_).spec.rate_limit, kCaps);
}

TEST_F(RuleUpdateTest, HTTP_8_6_a_stream_lost_while_waiting_is_ack_timeout) {
  const Pending pending = send_update(capped());
  service_->end_session(kEdge);
  EXPECT_EQ(finish(pending).error(), Errc::ack_timeout);
  EXPECT_EQ(shown(id_).spec.rate_limit, kCaps);
}

TEST_F(RuleUpdateTest, HTTP_8_6_404_then_403_before_everything) {
  PushRequest bad = capped();
  bad.listen_port = 0;
  EXPECT_EQ(io_.run(service_->update(root_, RuleId{99}, bad)).error(), Errc::rule_not_found);
  EXPECT_EQ(io_.run(service_->update({"alice", false}, RuleId{99}, bad)).error(),
            Errc::rule_not_found);
  EXPECT_EQ(io_.run(service_->update({"alice", false}, id_, bad)).error(), Errc::not_owner);
}

TEST_F(RuleUpdateTest, HTTP_8_6_checks_in_order) {
  sink_.live.clear();  // the last of them
  const std::pair<Change, Errc> faults[] = {
      {[](auto& r) { r.target_port = 1; }, Errc::rule_shape_conflict},
      {[](auto& r) { r.listen_port = 0; }, Errc::range_invalid},
      {[](auto& r) { r.rate_limit->reserved_key = true; }, Errc::rate_limit_burst_unsupported},
      {[](auto& r) { r.rate_limit->limit.concurrent_connections = 0; }, Errc::rate_limit_cap_zero},
      {[](auto& r) { r.targets->front().port = 81; }, Errc::rule_update_shape_mismatch},
  };
  for (std::size_t i = 0; i < std::size(faults); ++i) {
    EXPECT_EQ(refusal(faults[i].first), faults[i].second) << i;
    for (std::size_t j = i + 1; j < std::size(faults); ++j) {
      PushRequest both = capped();
      faults[j].first(both);
      EXPECT_EQ(refusal(both, faults[i].first), faults[i].second) << i << " and " << j;
    }
  }
  EXPECT_EQ(refusal([](auto&) {}), Errc::client_not_connected);
  EXPECT_EQ(shown(id_).spec.rate_limit, std::nullopt);
}

TEST_F(RuleUpdateTest, HTTP_8_6_the_gate_comes_last_and_stores_nothing) {
  for (const char* version : {"", "0.10"}) {
    sink_.live[kEdge] = {.udp = true, .version = version};
    EXPECT_EQ(refusal([](auto&) {}), Errc::rate_limit_unsupported_by_client) << version;
  }
  EXPECT_EQ(shown(id_).spec.rate_limit, std::nullopt);
  // Taking caps away needs no gate.
  EXPECT_TRUE(update(original()));
}

TEST_F(RuleUpdateTest, HTTP_8_6_everything_else_must_be_as_the_rule_has_it) {
  const std::pair<const char*, Change> other[] = {
      {"client", [](auto& r) { r.client = "edge-02"; }},
      {"client id", [](auto& r) { r.client = kOther; }},
      {"protocol", [](auto& r) { r.protocol = "udp"; }},
      {"unknown protocol", [](auto& r) { r.protocol = "x"; }},
      {"port", [](auto& r) { ++r.listen_port; }},
      {"range",
       [](auto& r) {
         r.listen_port_end = r.listen_port + 1;
         r.target_port_end = 81;
       }},
      {"fewer targets", [](auto& r) { r.targets->pop_back(); }},
      {"more targets", [](auto& r) { r.targets->push_back({.host = "c", .port = 1}); }},
      {"no targets", [](auto& r) { r.targets->clear(); }},
      {"order", [](auto& r) { std::swap(r.targets->at(0), r.targets->at(1)); }},
      {"host", [](auto& r) { r.targets->front().host = "other.example"; }},
      {"bad host", [](auto& r) { r.targets->front().host = "a_b"; }},
      {"priority", [](auto& r) { r.targets->front().priority = 5; }},
      {"shape",
       [](auto& r) {
         r.targets.reset();
         r.target_host = "t0.example";
         r.target_port = 80;
       }},
  };
  for (const auto& [name, change] : other) {
    EXPECT_EQ(refusal(change), Errc::rule_update_shape_mismatch) << name;
  }
  // The same, written otherwise, and what is ignored.
  EXPECT_TRUE(update([] {
    PushRequest asked = capped();
    asked.client = kEdge;
    asked.protocol = "TCP";
    asked.listen_port_end = asked.listen_port;
    asked.target_port_end = 80;
    asked.targets->front().host = "T0.example.";
    asked.targets->front().priority = 0;
    asked.targets->front().proxy_protocol = "v9";
    asked.sni_pattern = "a.b";
    asked.health_check_interval_secs = 0;
    asked.prefer_ipv6 = true;
    return asked;
  }()));
  EXPECT_EQ(shown(id_).spec.sni_pattern, std::nullopt);
}

TEST_F(RuleUpdateTest, HTTP_8_6_caps_do_not_go_on_a_rule_without_a_list) {
  id_ = activate(19000).spec.id;
  EXPECT_EQ(refusal(capped(request(19000)), [](auto&) {}), Errc::rate_limit_on_legacy_shape);
  PushRequest as_list = capped(list_request(19000, 1));
  as_list.targets->front().host = "10.0.0.5";
  EXPECT_EQ(refusal(as_list, [](auto&) {}), Errc::rate_limit_on_legacy_shape);
  // Before the connection.
  sink_.live.clear();
  EXPECT_EQ(refusal(as_list, [](auto&) {}), Errc::rate_limit_on_legacy_shape);
  sink_.live[kEdge] = kCapable;
  EXPECT_TRUE(update(request(19000)));  // nothing to take away

  PushRequest range = request(20000);
  range.listen_port_end = 20009;
  range.target_port_end = 89;
  id_ = activate(range).spec.id;
  EXPECT_TRUE(update(range));
  range.target_port_end = 90;
  EXPECT_EQ(refusal(range, [](auto&) {}), Errc::rule_update_shape_mismatch);
}

TEST_F(RuleUpdateTest, a_rule_with_a_pattern_takes_caps_in_either_shape) {
  PushRequest sni = request(21000);
  sni.sni_pattern = "a.b";
  id_ = activate(sni).spec.id;
  ASSERT_TRUE(update(capped(request(21000))));
  EXPECT_EQ(shown(id_).spec.rate_limit, kCaps);
  EXPECT_EQ(shown(id_).spec.sni_pattern, "a.b");
}

TEST_F(RuleUpdateTest, CW_6_2_changes_reach_the_edge_in_the_order_of_the_commits) {
  auto first = io_.start(service_->update(root_, id_, capped()));
  auto second = io_.start(service_->update(root_, id_, original()));
  auto third = io_.start(service_->remove(root_, id_));
  io_.run_until([&] { return third->has_value(); });
  ASSERT_EQ(sink_.sent.size(), 4U);
  EXPECT_EQ(sink_.sent[1].spec.rate_limit, kCaps);
  EXPECT_EQ(sink_.sent[2].spec.rate_limit, std::nullopt);
  EXPECT_FALSE(sink_.sent[3].push);
  io_.run_until([&] { return first->has_value() && second->has_value(); });
  EXPECT_EQ((*first)->error(), Errc::rule_not_found);
  EXPECT_EQ((*second)->error(), Errc::rule_not_found);
}

TEST_F(RuleUpdateTest, a_change_during_a_replay_is_what_the_replay_sends) {
  begin_session(kEdge);
  const Pending pending = send_update(capped());
  EXPECT_EQ(service_->current(id_)->rate_limit, kCaps);
  status(sink_.sent.back().request_id, id_, Outcome::activated);
  EXPECT_EQ(finish(pending)->state, RuleState::active);
}

TEST_F(RuleUpdateTest, a_rule_that_went_meanwhile_is_not_found) {
  ASSERT_TRUE(store_->write_now([&](store::Connection& c) { return store::remove_rule(c, id_); }));
  EXPECT_EQ(refusal([](auto&) {}), Errc::rule_not_found);
  EXPECT_EQ(sink_.sent.size(), 1U);
}

TEST_F(RuleUpdateTest, a_stopped_service_changes_nothing) {
  service_->request_stop();
  EXPECT_EQ(refusal([](auto&) {}), Errc::client_not_connected);
  EXPECT_EQ(shown(id_).spec.rate_limit, std::nullopt);
}

}  // namespace
}  // namespace portunus::server::rules
