#include "server/control/control_server.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "server/rules/errc.hpp"
#include "server/store/rule_store.hpp"
#include "server/store/user_store.hpp"
#include "tests/server/control/control_rig.hpp"
#include "tests/support/temp_dir.hpp"

// The control server on the real identities, rules and store, with a bare gRPC client as edge.

namespace portunus::server::control {
namespace {

using namespace std::chrono_literals;
using grpc::StatusCode;
using store::RuleState;
using test::FakeEdge;

class ControlServerTest : public testing::Test {
 protected:
  ControlServerTest() {
    store = store::Store::open({.path = dir / "state.db"}).value();
    EXPECT_TRUE(store->write_now([](store::Connection& c) {
      return store::insert_user(c, {.user_id = "root",
                                    .display_name = "root",
                                    .role = store::Role::superadmin,
                                    .disabled = false,
                                    .created_at = SystemClock::instance().now()});
    }));
    const auto& pem = test::test_pair().certificate_pem;
    clients = std::make_unique<auth::ClientService>(
        *store, clock, auth::EnrollmentMaterial{pem, *crypto::certificate_fingerprint(pem)},
        auth::AdvertisedEndpoint("localhost:7443", 7443, *crypto::certificate_names(pem)));
  }
  ~ControlServerTest() override { stop(); }

  /// Rules are read from the store here.
  void start() {
    rules = std::make_unique<rules::RuleService>(domain.executor(), *store, clock);
    ASSERT_TRUE(rules->hydrate());
    caps = std::make_unique<owner_caps::OwnerCapService>(*store, clock);
    caps->hydrate();
    quotas = std::make_unique<quotas::QuotaService>(domain.executor(), *store, clock);
    quotas->hydrate();
    server = std::make_unique<ControlServer>(
        domain.executor(), Domain{*clients, *rules, *caps, *quotas}, clock,
        ControlOptions{.listen = {*net::IpAddress::parse("127.0.0.1"), 0},
                       .pair = test::test_pair()});
    const EdgeSinks edges = server->sinks();
    rules->set_sink(&edges.rules);
    caps->set_sink(&edges.owner_caps);
    quotas->set_sink(&edges.quotas);
    clients->set_sink(&edges.sessions);
    clients->add_listener(&edges.clients);
    endpoint = server->start().value();
    domain.start();
  }
  void stop() {
    if (!server) return;
    domain([this] { rules->request_stop(); });
    domain.run(server->stop(10s));
    domain.run(rules->drain(10s));
    domain([this] { quotas->request_stop(); });
    domain.run(quotas->drain(10s));
    domain.join();
    server.reset();
    rules.reset();
    caps.reset();
    quotas.reset();
    store->close();
  }

  FakeEdge::Options options(const std::string& token = {}) const {
    FakeEdge::Options out{.target = endpoint.text(),
                          .certificate_pem = test::test_pair().certificate_pem,
                          .authorization = std::nullopt};
    if (!token.empty()) out.authorization = "Bearer " + token;
    return out;
  }
  static std::string code_of(const auth::IssuedEnrollment& issued) {
    const auto start = issued.uri.find("&code=") + 6;
    return issued.uri.substr(start, issued.uri.find('&', start) - start);
  }
  v1::CredentialBundle redeem(const auth::IssuedEnrollment& issued) {
    v1::CredentialBundle bundle;
    const grpc::Status status = FakeEdge(options()).enroll(code_of(issued), bundle);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return bundle;
  }
  v1::CredentialBundle enroll(std::string name) {
    return redeem(
        domain.run(clients->enroll_new(std::move(name), std::nullopt, 600, std::nullopt)).value());
  }
  std::unique_ptr<FakeEdge> connect(const std::string& token) {
    auto edge = std::make_unique<FakeEdge>(options(token));
    edge->open();
    EXPECT_TRUE(edge->welcomed());
    return edge;
  }
  /// As connect(), past an empty replay.
  std::unique_ptr<FakeEdge> ready(const std::string& token) {
    auto edge = connect(token);
    EXPECT_TRUE(edge->next()->has_replay_complete());
    return edge;
  }
  std::string refusal(const std::string& token) {
    FakeEdge edge(options(token));
    edge.open();
    const auto status = edge.ended();
    return status ? status->error_message() : "none";
  }

  std::future<Result<store::RuleRow>> push(std::uint32_t port) {
    rules::PushRequest request;
    request.client = "edge-01";
    request.listen_port = port;
    request.target_host = "10.0.0.5";
    request.target_port = 80;
    request.ack_timeout = 10s;
    return domain.launch(rules->push({"root", true}, request));
  }
  RuleState state_of(std::uint64_t id) {
    return domain([&] {
      for (const auto& rule : rules->list({"root", true}, {}).rules) {
        if (rule.row.spec.id.value == id) return rule.row.state;
      }
      ADD_FAILURE() << "no rule " << id;
      return RuleState::failed;
    });
  }

  test::LogCapture log;
  test::TempDir dir;
  SystemClock clock;
  std::unique_ptr<store::Store> store;
  test::DomainThread domain;
  std::unique_ptr<auth::ClientService> clients;
  std::unique_ptr<rules::RuleService> rules;
  std::unique_ptr<owner_caps::OwnerCapService> caps;
  std::unique_ptr<quotas::QuotaService> quotas;
  std::unique_ptr<ControlServer> server;
  net::Endpoint endpoint;
};

TEST_F(ControlServerTest, CW_10_2_a_code_is_redeemed_once_and_its_token_opens_a_session) {
  start();
  const auto issued =
      domain.run(clients->enroll_new("edge-01", std::nullopt, 600, std::nullopt)).value();
  const auto bundle = redeem(issued);
  EXPECT_EQ(bundle.version(), 1U);
  EXPECT_EQ(bundle.client_name(), "edge-01");
  EXPECT_EQ(bundle.server_endpoint(), "localhost:7443");
  EXPECT_EQ(bundle.server_cert_pem(), test::test_pair().certificate_pem);
  ready(bundle.token());
  EXPECT_EQ(log.count("client.enrollment_redeemed", {"\"rotated_existing\":false"}), 1U);

  v1::CredentialBundle second;
  FakeEdge edge(options());
  EXPECT_EQ(edge.enroll(code_of(issued), second).error_message(), "enrollment_used");
  EXPECT_EQ(edge.enroll("", second).error_message(), "enrollment_invalid");
  EXPECT_EQ(edge.enroll(std::string(257, 'x'), second).error_message(), "enrollment_invalid");
  EXPECT_EQ(edge.enroll("unknown", second).error_message(), "enrollment_invalid");
  EXPECT_EQ(log.count("client.enrollment_failed"), 0U);
}

TEST_F(ControlServerTest, CW_4_the_bearer_decides) {
  start();
  const auto bundle = enroll("edge-01");
  EXPECT_EQ(refusal(""), "missing_token");
  EXPECT_EQ(refusal("unknown"), "token_not_found");
  EXPECT_EQ(refusal(std::string(257, 'x')), "malformed_token");
  EXPECT_EQ(refusal(bundle.token() + "x"), "token_not_found");
  EXPECT_EQ(domain([&] { return server->auth_failures().at("token_not_found"); }), 2U);
}

TEST_F(ControlServerTest, CW_5_2_a_revoked_client_is_cut_at_once_and_kept_out) {
  start();
  const auto bundle = enroll("edge-01");
  const auto edge = ready(bundle.token());
  ASSERT_TRUE(domain.run(clients->revoke("edge-01")));
  EXPECT_TRUE(edge->ended()->ok());
  EXPECT_EQ(log.count("client.disconnected", {"WARN", "\"reason\":\"token_revoked\""}), 1U);
  EXPECT_EQ(log.count("audit.revoke", {"\"was_connected\":true"}), 1U);
  EXPECT_EQ(refusal(bundle.token()), "token_revoked");
}

TEST_F(ControlServerTest, CW_5_2_a_redeemed_re_enrollment_cuts_the_old_credential) {
  start();
  const auto bundle = enroll("edge-01");
  const auto edge = ready(bundle.token());
  const auto issued = domain.run(clients->enroll_again("edge-01", 600, std::nullopt)).value();
  const auto renewed = redeem(issued);
  EXPECT_EQ(renewed.client_id(), bundle.client_id());
  EXPECT_TRUE(edge->ended()->ok());
  EXPECT_EQ(log.count("client.disconnected", {"WARN", "\"reason\":\"credential_rotated\""}), 1U);
  EXPECT_EQ(log.count("client.enrollment_rotated", {"\"disconnected\":true"}), 1U);
  EXPECT_EQ(refusal(bundle.token()), "token_not_found");
  ready(renewed.token());
}

TEST_F(ControlServerTest, CW_6_1_a_push_is_answered_by_the_edges_status) {
  start();
  const auto edge = ready(enroll("edge-01").token());
  auto good = push(18080);
  auto message = edge->next();
  ASSERT_TRUE(message && message->has_rule_update());
  edge->status(message->rule_update().request_id(), 1, v1::ACTIVATED);
  const auto active = good.get();
  ASSERT_TRUE(active) << active.error().text();
  EXPECT_EQ(active->state, RuleState::active);

  auto bad = push(18081);
  message = edge->next();
  // A peer that refuses before it installs does not know the id: CW 6.3, the middle rule.
  edge->status("", message->rule_update().rule().rule_id(), v1::FAILED, "port_in_use");
  const auto failed = bad.get();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error(), rules::Errc::activation_failed);
  EXPECT_EQ(failed.error().detail, "port_in_use");

  ASSERT_TRUE(domain.run(rules->remove({"root", true}, RuleId{1})));
  message = edge->next();
  EXPECT_EQ(message->rule_update().action(), v1::REMOVE);
  edge->status(message->rule_update().request_id(), 1, v1::REMOVED);
  EXPECT_EQ(log.count("audit.rule_remove", {"\"outcome\":\"success\""}), 1U);
}

TEST_F(ControlServerTest, CW_6_1_without_a_session_nothing_is_pushed_or_stored) {
  start();
  enroll("edge-01");
  const auto pushed = push(18080).get();
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error(), rules::Errc::client_not_connected);
  EXPECT_EQ(domain([&] { return rules->count(); }), 0U);
}

TEST_F(ControlServerTest, CW_6_1_a_session_that_ends_before_the_answer_leaves_the_rule_pending) {
  start();
  const auto bundle = enroll("edge-01");
  const auto edge = ready(bundle.token());
  auto pending = push(18080);
  ASSERT_TRUE(edge->next());
  const auto newer = connect(bundle.token());  // supersedes it
  EXPECT_EQ(pending.get().error(), rules::Errc::ack_timeout);
  const auto replayed = newer->next();
  EXPECT_EQ(replayed->rule_update().rule().rule_id(), 1U);
  EXPECT_EQ(state_of(1), RuleState::pending);
  newer->status(replayed->rule_update().request_id(), 1, v1::ACTIVATED);
  EXPECT_TRUE(domain.eventually([&] {
    return rules->list({"root", true}, {}).rules.front().row.state == RuleState::active;
  }));
}

TEST_F(ControlServerTest, CW_6_3_a_status_for_another_clients_rule_changes_nothing) {
  start();
  const auto edge = ready(enroll("edge-01").token());
  const auto other = ready(enroll("edge-02").token());
  auto pending = push(18080);
  const auto message = edge->next();
  other->status(message->rule_update().request_id(), 1, v1::FAILED, "lie");
  EXPECT_TRUE(domain.eventually(
      [&] { return log.count("client.rule_status_wrong_client", {"\"edge-02\""}) == 1; }));
  edge->status(message->rule_update().request_id(), 1, v1::ACTIVATED);
  EXPECT_TRUE(pending.get());
}

TEST_F(ControlServerTest, CW_8_a_new_session_counts_from_zero_again) {
  start();
  const auto bundle = enroll("edge-01");
  auto edge = ready(bundle.token());
  auto pending = push(18080);
  edge->status(edge->next()->rule_update().request_id(), 1, v1::ACTIVATED);
  ASSERT_TRUE(pending.get());
  const auto report = [&](std::uint64_t bytes) {
    v1::ClientMessage message;
    message.mutable_stats_report()->add_stats()->set_rule_id(1);
    message.mutable_stats_report()->mutable_stats(0)->set_bytes_in(bytes);
    edge->send(message);
  };
  const auto total = [&] {
    const auto& live = rules->traffic().live();
    return live.empty() ? 0 : live.begin()->second.counters.total().bytes_in;
  };
  report(100);
  EXPECT_TRUE(domain.eventually([&] { return total() == 100; }));
  edge = connect(bundle.token());
  report(30);
  EXPECT_TRUE(domain.eventually([&] { return total() == 130; }));
}

TEST_F(ControlServerTest, CW_5_2_a_rename_keeps_the_session_and_tells_it) {
  start();
  const auto edge = ready(enroll("edge-01").token());
  ASSERT_TRUE(domain.run(clients->rename("edge-01", "edge-99")));
  edge->hello();  // late, and so logged
  EXPECT_TRUE(domain.eventually(
      [&] { return log.count("client.hello_after_welcome", {"\"edge-99\""}) == 1; }));
}

TEST_F(ControlServerTest, CW_12_6_a_session_cut_in_mid_replay_two_hundred_times_loses_no_rule) {
  constexpr std::uint64_t kRules = 1000;
  ASSERT_TRUE(store->write_now([&](store::Connection& c) -> Result<> {
    for (std::uint64_t i = 1; i <= kRules; ++i) {
      store::RuleRow row;
      row.spec = test::rule(i);
      row.spec.owner_id = "root";
      row.client_name = "edge-01";
      row.state = RuleState::active;
      row.created_at = row.last_state_change_at = SystemClock::instance().now();
      if (const auto id = store::insert_rule(c, row); !id) return fail(id.error());
    }
    return {};
  }));
  start();
  // Redeeming binds the rules that were made for the bare name.
  auto bind = [&](const v1::CredentialBundle& b) {
    domain([&] { rules->on_client_enrolled(b.client_id(), "edge-01"); });
    return b.token();
  };
  const std::string token = bind(enroll("edge-01"));
  std::mt19937 random(2);
  for (int i = 0; i < 200; ++i) {
    const auto edge = connect(token);
    for (unsigned n = random() % 60; n > 0; --n) {
      const auto message = edge->next();
      ASSERT_TRUE(message && message->has_rule_update()) << i;
      const auto& update = message->rule_update();
      edge->status(update.request_id(), update.rule().rule_id(), v1::ACTIVATED);
    }
    if (i % 3 == 0) edge->half_close();
  }
  const auto edge = connect(token);
  std::set<std::uint64_t> seen;
  for (auto message = edge->next(); message && message->has_rule_update(); message = edge->next()) {
    const auto& update = message->rule_update();
    seen.insert(update.rule().rule_id());
    edge->status(update.request_id(), update.rule().rule_id(), v1::ACTIVATED);
  }
  EXPECT_EQ(seen.size(), kRules);
  EXPECT_TRUE(domain.eventually([&] {
    const auto all = rules->list({"root", true}, {}).rules;
    return all.size() == kRules && std::ranges::all_of(all, [](const auto& rule) {
             return rule.row.state == RuleState::active;
           });
  }));
}

TEST_F(ControlServerTest, D6_limits_reach_the_edge_by_replay_and_live_and_reports_count) {
  start();
  const auto bundle = enroll("edge-01");
  ASSERT_TRUE(domain.run(quotas->put("root", "edge-01", 1000, std::nullopt)));
  auto edge = connect(bundle.token());
  auto message = edge->next();
  ASSERT_TRUE(message && message->has_traffic_quota_update());
  EXPECT_EQ(message->traffic_quota_update().user_id(), "root");
  EXPECT_EQ(message->traffic_quota_update().state().budget_remaining_bytes(), 1000);
  EXPECT_TRUE(edge->next()->has_replay_complete());

  model::RateLimit limit;
  limit.concurrent_connections = 9;
  ASSERT_TRUE(domain.run(caps->put("edge-01", "root", {limit, false})));
  message = edge->next();
  ASSERT_TRUE(message && message->has_owner_rate_limit_update());
  EXPECT_EQ(message->owner_rate_limit_update().rate_limit().concurrent_connections(), 9U);

  auto pending = push(18080);
  message = edge->next();
  edge->status(message->rule_update().request_id(), 1, v1::ACTIVATED);
  ASSERT_TRUE(pending.get());
  v1::ClientMessage stats;
  v1::StatsReport& report = *stats.mutable_stats_report();
  report.add_stats()->set_rule_id(1);
  report.mutable_stats(0)->set_bytes_in(700);
  report.mutable_stats(0)->set_bytes_out(500);
  report.add_owner_rate_limit_stats()->set_owner_id("root");
  report.mutable_owner_rate_limit_stats(0)->mutable_stats()->set_active_connections(4);
  edge->send(stats);
  message = edge->next();
  ASSERT_TRUE(message && message->has_traffic_quota_update());
  EXPECT_TRUE(message->traffic_quota_update().state().exhausted());
  EXPECT_EQ(message->traffic_quota_update().state().budget_remaining_bytes(), -200);
  domain([&] {
    EXPECT_EQ(quotas->numbers().at(0).exhaustions, 1U);
    EXPECT_EQ(caps->numbers().at(0).total.active, 4U);
  });
  ASSERT_TRUE(domain.run(quotas->remove("root", "edge-01")));
  message = edge->next();
  EXPECT_EQ(message->traffic_quota_update().action(), v1::TRAFFIC_QUOTA_ACTION_REMOVE);

  edge = connect(bundle.token());
  EXPECT_TRUE(edge->next()->has_owner_rate_limit_update());
  EXPECT_TRUE(edge->next()->has_rule_update());
  EXPECT_TRUE(edge->next()->has_replay_complete());
}

}  // namespace
}  // namespace portunus::server::control
