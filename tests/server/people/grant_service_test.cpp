#include <algorithm>

#include "server/people/authorization.hpp"
#include "server/rules/errc.hpp"
#include "server/rules/rule_service.hpp"
#include "tests/server/people/people_fixture.hpp"

// http-api 6.3 and the removal of a grant (http-api 4).

namespace portunus::server::people {
namespace {

class GrantServiceTest : public PeopleFixture {
 protected:
  GrantServiceTest() { add_row("alice", store::Role::user); }
  Result<RevokedGrant> revoke(const std::string& id) {
    return io_.run(people_->grants.revoke("root", id));
  }
  store::GrantRow only() {
    const auto rows = io_.run(people_->grants.list(std::nullopt)).value();
    EXPECT_EQ(rows.size(), 1U);
    return rows.at(0);
  }
  std::optional<model::GrantMiss> ask(std::uint16_t port) {
    model::RuleSpec spec;
    spec.owner_id = "alice";
    spec.listen_port = port;
    return store_
        ->read_now(
            [&](store::Connection& c) { return find_owners_miss(c, {kEdge, "edge-01"}, spec); })
        .value();
  }
};

TEST_F(GrantServiceTest, HTTP_6_3_a_grant_is_stored_as_asked) {
  NewGrant asked = wanted(30'000, 30'010, {"udp", "tcp", "udp"});
  asked.note = "for games";
  const auto added = add_grant(asked).value();
  const auto row = only();
  EXPECT_EQ(row.grant_id, added.grant_id);
  EXPECT_EQ(row.client, (store::ClientRef{kEdge, "edge-01"}));
  EXPECT_EQ(row.listen_port_start, 30'000);
  EXPECT_EQ(row.listen_port_end, 30'010);
  EXPECT_TRUE(row.tcp && row.udp);
  EXPECT_EQ(row.note, "for games");
  EXPECT_EQ(row.created_at, clock_.now());
  EXPECT_EQ(log_.count("operator.grant_added", {"\"actor\":\"root\"", "\"target\":\"alice\"",
                                                "\"grant_id\":\"" + row.grant_id + "\""}),
            1U);
}

TEST_F(GrantServiceTest, HTTP_6_3_refusals_in_their_order) {
  // Each call still has the faults of the later ones.
  NewGrant asked{.user_id = "Alice",
                 .client = "Bad Name",
                 .listen_port_start = 0,
                 .listen_port_end = 0,
                 .protocols = {}};
  EXPECT_EQ(add_grant(asked).error(), Errc::invalid_user_id);
  asked.user_id = "_superadmin";
  EXPECT_EQ(add_grant(asked).error(), Errc::reserved_user_id);
  asked.user_id = "_";
  EXPECT_EQ(add_grant(asked).error(), Errc::reserved_user_id);
  asked.user_id = "nobody";
  EXPECT_EQ(add_grant(asked).error(), Errc::invalid_client);
  asked.client = "01J00000000000000000000009";
  EXPECT_EQ(add_grant(asked).error(), Errc::client_not_found);
  asked.client = "*";
  EXPECT_EQ(add_grant(asked).error(), Errc::invalid_port_range);
  asked.listen_port_start = 3;
  asked.listen_port_end = 2;
  EXPECT_EQ(add_grant(asked).error(), Errc::invalid_port_range);
  asked.listen_port_end = 3;
  EXPECT_EQ(add_grant(asked).error(), Errc::empty_protocol_set);
  asked.protocols = {"tcp", "sctp"};
  EXPECT_EQ(add_grant(asked).error(), Errc::empty_protocol_set);
  asked.protocols = {"TCP"};
  EXPECT_EQ(add_grant(asked).error(), Errc::empty_protocol_set);
  asked.protocols = {"tcp"};
  EXPECT_EQ(add_grant(asked).error(), Errc::user_not_found);
  EXPECT_TRUE(io_.run(people_->grants.list(std::nullopt))->empty());
}

TEST_F(GrantServiceTest, SQ_3_grants_follow_the_client) {
  NewGrant asked = wanted(80, 80);
  asked.client = "edge-77";
  ASSERT_TRUE(add_grant(asked));
  EXPECT_EQ(only().client, (store::ClientRef{std::nullopt, "edge-77"}));
  const std::string id = "01J00000000000000000000077";
  write([&](store::Connection& c) {
    return store::insert_client(c, {.client_id = id,
                                    .name = "edge-77",
                                    .token_hash = std::string(64, 'b'),
                                    .provisioned_at = clock_.now(),
                                    .revoked_at = std::nullopt,
                                    .address = std::nullopt});
  });
  EXPECT_EQ(only().client, (store::ClientRef{id, "edge-77"}));
  write([&](store::Connection& c) { return store::rename_client(c, id, "edge-88"); });
  EXPECT_EQ(only().client, (store::ClientRef{id, "edge-88"}));
  write([&](store::Connection& c) { return store::remove_client(c, id); });
  EXPECT_EQ(only().client, (store::ClientRef{std::nullopt, "edge-88"}));
}

TEST_F(GrantServiceTest, HTTP_6_3_lists_are_by_id_and_filtered) {
  add_row("bob", store::Role::user);
  ASSERT_TRUE(add_grant(wanted(1, 1)));
  NewGrant bobs = wanted(2, 2);
  bobs.user_id = "bob";
  ASSERT_TRUE(add_grant(bobs));
  EXPECT_EQ(io_.run(people_->grants.list(std::nullopt))->size(), 2U);
  const auto rows = io_.run(people_->grants.list("bob")).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].user_id, "bob");
  EXPECT_TRUE(io_.run(people_->grants.list("_superadmin"))->empty());
  EXPECT_EQ(io_.run(people_->grants.list("Bob")).error(), Errc::invalid_user_id);
  EXPECT_EQ(io_.run(people_->grants.list("")).error(), Errc::invalid_user_id);
}

TEST_F(GrantServiceTest, HTTP_4_read_filtering_by_client) {
  ASSERT_TRUE(add_grant(wanted(80, 80)));
  const auto seen = io_.run(people_->grants.visible_clients("alice")).value();
  EXPECT_TRUE(seen.contains({kEdge, "edge-01"}));
  EXPECT_FALSE(seen.contains({"01J00000000000000000000002", "edge-02"}));
  EXPECT_FALSE(io_.run(people_->grants.visible_clients("root"))->contains({kEdge, "edge-01"}));
  NewGrant all = wanted(80, 80);
  all.client = "*";
  ASSERT_TRUE(add_grant(all));
  EXPECT_TRUE(io_.run(people_->grants.visible_clients("alice"))
                  ->contains({"01J00000000000000000000002", "edge-02"}));
}

TEST_F(GrantServiceTest, HTTP_4_a_revocation_takes_the_rules_that_nothing_covers) {
  const std::string wide = add_grant(wanted(100, 200, {"tcp", "udp"}))->grant_id;
  ASSERT_TRUE(add_grant(wanted(100, 150)));
  const std::uint64_t kept = add_rule("alice", 100, 51);
  const std::uint64_t too_long = add_rule("alice", 140, 20);
  const std::uint64_t udp = add_rule("alice", 100, 1, model::Protocol::udp);
  add_rule("root", 190);
  const auto revoked = revoke(wide).value();
  EXPECT_EQ(revoked.rule_ids, (std::vector<std::uint64_t>{too_long, udp}));
  EXPECT_EQ(listener_.ids(), revoked.rule_ids);
  EXPECT_EQ(rules_of("alice"), std::vector<std::uint64_t>{kept});
  EXPECT_EQ(rules_of("root").size(), 1U);
  EXPECT_EQ(ask(100), std::nullopt);
  EXPECT_EQ(ask(200), model::GrantMiss::ports);
  EXPECT_EQ(
      log_.count("operator.grant_revoked", {"\"target\":\"alice\"", "\"cascaded_rules\":2", wide}),
      1U);
  EXPECT_EQ(revoke(wide).error(), Errc::grant_not_found);
  EXPECT_EQ(revoke("x").error(), Errc::grant_not_found);
}

/// One session that takes everything and never answers.
class SilentSink final : public rules::RuleSink {
 public:
  bool connected(std::string_view) const override { return true; }
  const rules::ClientCapabilities* capabilities(std::string_view) const override {
    return &capable;
  }
  bool push(std::string_view, std::string_view, const model::RuleSpec& rule) override {
    sent.push_back("push " + std::to_string(rule.id.value));
    return true;
  }
  bool remove(std::string_view, std::string_view, RuleId rule) override {
    sent.push_back("remove " + std::to_string(rule.value));
    return true;
  }
  rules::ClientCapabilities capable{.udp = true, .version = "1.8.0"};
  std::vector<std::string> sent;
};

/// The listener as the composition root has it.
class ToRules final : public PeopleListener {
 public:
  explicit ToRules(rules::RuleService& rules) : rules_(rules) {}
  void on_rules_removed(std::span<const store::RemovedRule> removed) override {
    rules_.on_removed(removed);
  }
  void on_caps_removed(const store::ClientRef&, std::string_view) override {}

 private:
  rules::RuleService& rules_;
};

/// A push beside a revocation of what allows it, started in every order.
TEST_F(GrantServiceTest, HTTP_4_no_rule_slips_past_a_revocation) {
  SilentSink sink;
  rules::RuleService service(io_.executor(), *store_, clock_);
  ToRules listener(service);
  service.set_sink(&sink);
  service.set_rights(find_owners_miss);
  people_->set_listener(&listener);
  rules::PushRequest request;
  request.client = "edge-01";
  request.listen_port = 150;
  request.target_host = "10.0.0.5";
  request.target_port = 80;
  request.ack_timeout = std::chrono::seconds(0);
  for (int steps = 0; steps < 40; ++steps) {
    const std::string grant = add_grant(wanted(100, 200))->grant_id;
    auto pushed = io_.start(service.push({"alice", false}, request));
    for (int step = 0; step < steps; ++step) io_.poll();
    auto revoked = io_.start(people_->grants.revoke("root", grant));
    io_.run_until([&] { return pushed->has_value() && revoked->has_value(); });
    ASSERT_TRUE(**revoked);
    EXPECT_TRUE(rules_of("alice").empty()) << steps;
    EXPECT_EQ(service.count(), 0U) << steps;
    for (const std::uint64_t id : (**revoked)->rule_ids) {
      EXPECT_EQ(std::ranges::count(sink.sent, "remove " + std::to_string(id)), 1) << steps;
    }
    const Error error = (**pushed).error();
    EXPECT_TRUE(error == make_error_code(rules::Errc::client_not_granted) ||
                error == make_error_code(rules::Errc::activation_failed) ||
                error == make_error_code(rules::Errc::ack_timeout))
        << error.text();
  }
  people_->set_listener(&listener_);
  service.request_stop();
  EXPECT_TRUE(io_.run(service.drain(std::chrono::seconds(5))));
}

}  // namespace
}  // namespace portunus::server::people
