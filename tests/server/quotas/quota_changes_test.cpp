#include "tests/server/quotas/quota_fixture.hpp"

// What operators do to quotas (http-api 10, store-and-quotas 6.5).

namespace portunus::server::quotas {
namespace {

using QuotaChangesTest = QuotaFixture;

TEST_F(QuotaChangesTest, HTTP_10_put_creates_in_period_0_and_tells_the_edge) {
  const auto row = put(1000, kNow - 100).value();
  EXPECT_EQ(row.client, (store::ClientRef{kEdge, "edge-01"}));
  EXPECT_EQ(row.monthly_bytes, 1000);
  EXPECT_EQ(row.billing_anchor, kNow - 100);
  EXPECT_EQ(row.period_started_at, kNow - 100);
  EXPECT_EQ(row.created_at, kNow);
  EXPECT_EQ(row.updated_at, kNow);
  ASSERT_EQ(sink_.told.size(), 1U);
  EXPECT_EQ(sink_.told[0].user_id, "alice");
  EXPECT_EQ(sink_.told[0].state->budget_remaining_bytes, 1000);
  EXPECT_EQ(status().value(), row);
  EXPECT_EQ(service_->users(kEdge), std::vector<std::string>{"alice"});
}

TEST_F(QuotaChangesTest, HTTP_10_the_anchor_is_now_unless_given) {
  EXPECT_EQ(put(1000)->billing_anchor, kNow);
}

TEST_F(QuotaChangesTest, D5_put_again_sets_the_limit_alone) {
  ASSERT_TRUE(put(1000, kNow - 100));
  report(300, 200);
  expect_used(500);
  clock_.advance(std::chrono::seconds(5));
  const auto row = put(2000).value();
  EXPECT_EQ(row.monthly_bytes, 2000);
  EXPECT_EQ(row.bytes_used, 500);
  EXPECT_EQ(row.billing_anchor, kNow - 100);
  EXPECT_EQ(row.created_at, kNow);
  EXPECT_EQ(row.updated_at, kNow + 5);
  EXPECT_TRUE(put(2000, kNow - 100));  // the same anchor is no change of it
  EXPECT_EQ(put(2000, kNow).error(), Errc::billing_anchor_immutable);
  EXPECT_EQ(status()->monthly_bytes, 2000);
}

TEST_F(QuotaChangesTest, HTTP_10_refusals_of_put_in_their_order) {
  sink_.versions[kOther] = "1.3.0";
  const std::int64_t no_anchor = std::numeric_limits<std::int64_t>::max();
  // Each call still has the faults of the later ones.
  EXPECT_EQ(put(-1, no_anchor, "carol", "Bad Name").error(), Errc::invalid_quota_size);
  EXPECT_EQ(put(0, no_anchor, "carol", "Bad Name").error(), Errc::invalid_client_name);
  EXPECT_EQ(put(0, no_anchor, "carol", "01J00000000000000000000009").error(),
            Errc::client_not_found);
  EXPECT_EQ(put(0, no_anchor, "carol", "edge-02").error(), Errc::quota_target_not_found);
  EXPECT_EQ(put(0, no_anchor, "nobody", "edge-02").error(), Errc::quota_target_not_found);
  EXPECT_EQ(put(0, no_anchor, "alice", "edge-02").error(), Errc::quota_unsupported_by_client);
  EXPECT_EQ(put(0, no_anchor).error(), Errc::invalid_billing_anchor);
  EXPECT_EQ(number("SELECT count(*) FROM traffic_quotas"), 0);
  EXPECT_TRUE(sink_.told.empty());
}

TEST_F(QuotaChangesTest, HTTP_10_a_grant_that_names_the_client_makes_its_user_a_target) {
  const auto grant = [&](std::string id, std::optional<store::ClientRef> client) {
    store::GrantRow row;
    row.grant_id = std::move(id);
    row.user_id = "carol";
    row.client = std::move(client);
    row.listen_port_start = row.listen_port_end = 80;
    row.tcp = true;
    ASSERT_TRUE(
        store_->write_now([&](store::Connection& c) { return store::insert_grant(c, row); }));
  };
  const auto target = [&](const std::string& client) {
    return put(1000, std::nullopt, "carol", client).has_value();
  };
  EXPECT_FALSE(target("edge-01"));
  grant("01J00000000000000000000011", store::ClientRef{kEdge, "edge-01"});
  EXPECT_TRUE(target("edge-01"));
  EXPECT_FALSE(target("edge-02"));
  EXPECT_FALSE(target("edge-77"));
  grant("01J00000000000000000000012", store::ClientRef{std::nullopt, "edge-77"});
  EXPECT_TRUE(target("edge-77"));
  grant("01J00000000000000000000013", std::nullopt);
  EXPECT_TRUE(target("edge-02"));
}

TEST_F(QuotaChangesTest, HTTP_10_a_superadmin_is_a_target_without_a_grant) {
  EXPECT_EQ(number("SELECT count(*) FROM grants"), 0);
  EXPECT_TRUE(put(1000, std::nullopt, "bob", "edge-02"));
  EXPECT_EQ(put(1000, std::nullopt, "carol", "edge-02").error(), Errc::quota_target_not_found);
}

TEST_F(QuotaChangesTest, CW_9_the_gate_closes_only_while_the_client_is_connected) {
  EXPECT_TRUE(put(1000, std::nullopt, "alice", "edge-02"));  // offline
  sink_.versions[kOther] = "";
  EXPECT_EQ(put(1000, std::nullopt, "alice", "edge-02").error(), Errc::quota_unsupported_by_client);
  sink_.versions[kOther] = "1.3.9";
  EXPECT_EQ(put(1000, std::nullopt, "alice", "edge-02").error(), Errc::quota_unsupported_by_client);
  sink_.versions[kOther] = "1.4.0";
  EXPECT_TRUE(put(1000, std::nullopt, "alice", "edge-02"));
}

TEST_F(QuotaChangesTest, SQ_6_5_a_name_that_is_not_enrolled_can_have_a_quota) {
  const auto row = put(1000, std::nullopt, "alice", "edge-77").value();
  EXPECT_EQ(row.client, (store::ClientRef{std::nullopt, "edge-77"}));
  EXPECT_TRUE(sink_.told.empty());
  EXPECT_EQ(status("alice", "edge-77")->monthly_bytes, 1000);
}

TEST_F(QuotaChangesTest, HTTP_10_patch_is_first_the_limit_then_the_credit_and_one_message) {
  ASSERT_TRUE(put(100));
  report(150, 0);
  io_.run_until([&] { return sink_.told.size() == 2; });
  EXPECT_TRUE(sink_.told.back().state->exhausted);
  const auto row = patch(50, true).value();
  EXPECT_EQ(row.monthly_bytes, 50);
  EXPECT_EQ(row.bytes_used, 0);
  EXPECT_FALSE(row.exhausted_at);
  EXPECT_EQ(row.period_started_at, kNow);
  ASSERT_EQ(sink_.told.size(), 3U);
  EXPECT_FALSE(sink_.told.back().state->exhausted);
  EXPECT_EQ(sink_.told.back().state->budget_remaining_bytes, 50);
}

TEST_F(QuotaChangesTest, SQ_6_5_a_patch_with_both_exhausts_only_what_is_exhausted_after_it) {
  const auto exhaustions = [&] { return service_->numbers().at(0).exhaustions; };
  ASSERT_TRUE(put(100));
  report(60, 0);
  expect_used(60);
  EXPECT_FALSE(patch(50, true)->exhausted_at);  // 60 of 50 only between the two steps
  EXPECT_EQ(exhaustions(), 0U);
  EXPECT_EQ(patch(0, true)->exhausted_at, kNow);
  EXPECT_EQ(exhaustions(), 1U);
  EXPECT_EQ(patch(0, true)->exhausted_at, kNow);
  EXPECT_EQ(exhaustions(), 1U);
}

TEST_F(QuotaChangesTest, SQ_6_4_lowering_the_limit_below_the_usage_exhausts) {
  ASSERT_TRUE(put(100));
  report(60, 0);
  expect_used(60);
  const auto row = patch(60, false).value();
  EXPECT_EQ(row.exhausted_at, kNow);
  EXPECT_TRUE(sink_.told.back().state->exhausted);
  EXPECT_FALSE(patch(61, false)->exhausted_at);
}

TEST_F(QuotaChangesTest, a_patch_without_a_change_writes_and_tells_nothing) {
  ASSERT_TRUE(put(100));
  clock_.advance(std::chrono::seconds(5));
  EXPECT_EQ(patch(std::nullopt, false)->updated_at, kNow);
  EXPECT_EQ(sink_.told.size(), 1U);
}

TEST_F(QuotaChangesTest, HTTP_10_refusals_of_patch_in_their_order) {
  EXPECT_EQ(patch(-1, false, "Bad Name").error(), Errc::invalid_client_name);
  EXPECT_EQ(patch(-1, false).error(), Errc::quota_not_found);
  ASSERT_TRUE(put(100));
  EXPECT_EQ(patch(-1, true).error(), Errc::invalid_quota_size);
  EXPECT_EQ(status()->monthly_bytes, 100);
}

TEST_F(QuotaChangesTest, SQ_6_5_delete_removes_the_row_and_tells_the_edge) {
  ASSERT_TRUE(put(100));
  ASSERT_TRUE(io_.run(service_->remove("alice", "edge-01")));
  ASSERT_EQ(sink_.told.size(), 2U);
  EXPECT_FALSE(sink_.told.back().state);
  EXPECT_EQ(status().error(), Errc::quota_not_found);
  EXPECT_EQ(io_.run(service_->remove("alice", "edge-01")).error(), Errc::quota_not_found);
  EXPECT_EQ(io_.run(service_->remove("alice", "Bad Name")).error(), Errc::invalid_client_name);
  EXPECT_EQ(number("SELECT count(*) FROM traffic_quotas"), 0);
  EXPECT_TRUE(service_->numbers().empty());
  EXPECT_TRUE(put(100, kNow - 5));  // a new one, with an anchor of its own
}

TEST_F(QuotaChangesTest, HTTP_10_lists_are_in_their_orders) {
  ASSERT_TRUE(put(1, std::nullopt, "bob", "edge-02"));
  ASSERT_TRUE(put(2, std::nullopt, "bob", "edge-01"));
  ASSERT_TRUE(put(3, std::nullopt, "alice", kEdge));  // by id
  ASSERT_TRUE(put(4, std::nullopt, "bob", "edge-015"));
  std::vector<std::string> clients;
  for (const auto& row : service_->of_user("bob")) clients.push_back(row.client.client_name);
  EXPECT_EQ(clients, (std::vector<std::string>{"edge-01", "edge-015", "edge-02"}));
  std::vector<std::string> users;
  const auto of_client = io_.run(service_->of_client("edge-01")).value();
  for (const auto& row : of_client) users.push_back(row.user_id);
  EXPECT_EQ(users, (std::vector<std::string>{"alice", "bob"}));
  EXPECT_TRUE(io_.run(service_->of_client("edge-99"))->empty());
  EXPECT_EQ(io_.run(service_->of_client("Bad")).error(), Errc::invalid_client_name);
  EXPECT_EQ(io_.run(service_->of_client("01J00000000000000000000009")).error(),
            Errc::client_not_found);
}

TEST_F(QuotaChangesTest, SQ_6_5_everything_survives_a_restart) {
  ASSERT_TRUE(put(100, kNow - 7));
  report(30, 20);
  expect_used(50);
  const auto before = status().value();
  restart();
  EXPECT_EQ(status().value(), before);
  EXPECT_EQ(service_->state(kEdge, "alice")->budget_remaining_bytes, 50);
}

TEST_F(QuotaChangesTest, SQ_3_quotas_follow_the_client) {
  ASSERT_TRUE(put(100, std::nullopt, "alice", "edge-77"));
  const std::string id = "01J00000000000000000000077";
  ASSERT_TRUE(
      store_->write_now([&](store::Connection& c) { return add_client(c, id, "edge-77", 'c'); }));
  service_->on_client_enrolled(id, "edge-77");
  EXPECT_EQ(status("alice", "edge-77")->client.client_id, id);
  EXPECT_EQ(service_->users(id), std::vector<std::string>{"alice"});

  ASSERT_TRUE(store_->write_now(
      [&](store::Connection& c) { return store::rename_client(c, id, "edge-88"); }));
  service_->on_client_changed(id, "edge-88");
  EXPECT_EQ(status("alice", "edge-88")->client.client_name, "edge-88");

  ASSERT_TRUE(store_->write_now([&](store::Connection& c) { return store::remove_client(c, id); }));
  service_->on_client_removed(id);
  const auto bare = status("alice", "edge-88").value();
  EXPECT_EQ(bare.client.client_id, std::nullopt);
  EXPECT_TRUE(service_->users(id).empty());
  restart();  // the store agrees
  EXPECT_EQ(status("alice", "edge-88").value(), bare);
}

TEST_F(QuotaChangesTest, OBS_2_a_session_that_refuses_is_told_of) {
  sink_.refuses = true;
  ASSERT_TRUE(put(100));
  EXPECT_EQ(log_.count("traffic_quota.push_failed",
                       {"\"level\":\"WARN\"",
                        "\"user\":\"alice\",\"client\":\"edge-01\",\"action\":\"set\"}"}),
            1U);
  ASSERT_TRUE(io_.run(service_->remove("alice", "edge-01")));
  EXPECT_EQ(log_.count("traffic_quota.push_failed", {"\"action\":\"remove\"}"}), 1U);
}

TEST_F(QuotaChangesTest, OBS_2_a_store_that_cannot_be_read_starts_empty) {
  ASSERT_TRUE(put(100));
  script("ALTER TABLE traffic_quotas RENAME TO elsewhere");
  restart();
  EXPECT_EQ(log_.count("traffic_quota.cache_hydrate_failed", {"\"level\":\"WARN\""}), 1U);
  EXPECT_EQ(status().error(), Errc::quota_not_found);
  script("ALTER TABLE elsewhere RENAME TO traffic_quotas");
  // Usage goes on counting, and brings the quota back into sight.
  report(1, 0);
  io_.run_until([&] { return service_->state(kEdge, "alice").has_value(); });
  EXPECT_EQ(status()->bytes_used, 1);
}

}  // namespace
}  // namespace portunus::server::quotas
