#include "server/auth/client_service.hpp"

#include "tests/server/auth/auth_fixture.hpp"

namespace portunus::server::auth {
namespace {

using ClientServiceTest = AuthFixture;

constexpr const char* kUnknownId = "01J00000000000000000000009";

TEST_F(ClientServiceTest, CW_4_bearer_of_a_control_stream) {
  const auto bundle = provision("edge-01");
  const std::string token = bundle.token.reveal();
  EXPECT_EQ(authenticate(std::nullopt).error(), Errc::missing_token);
  EXPECT_EQ(authenticate("Bearer ").error(), Errc::missing_token);
  EXPECT_EQ(authenticate("Bearer   ").error(), Errc::missing_token);
  for (const std::string& header :
       {std::string(), std::string("Bearer"), "bearer " + token, "Basic " + token, token,
        std::string("Bearer \xC3\xA4"), "Bearer " + std::string(257, 'a')}) {
    EXPECT_EQ(authenticate(header).error(), Errc::malformed_token) << header;
  }
  EXPECT_EQ(authenticate("Bearer " + std::string(256, 'a')).error(), Errc::token_not_found);
  EXPECT_EQ(authenticate("Bearer " + token + " ")->name, "edge-01");
  ASSERT_TRUE(io_.run(service_->revoke("edge-01")));
  EXPECT_EQ(authenticate(bundle.token).error(), Errc::token_revoked);
  ASSERT_TRUE(io_.run(service_->remove("edge-01")));
  EXPECT_EQ(authenticate(bundle.token).error(), Errc::token_not_found);
  store_->close();
  EXPECT_EQ(authenticate(bundle.token).error(), store::Errc::closed);
}

TEST_F(ClientServiceTest, each_of_many_tokens_finds_its_client) {
  std::vector<RedeemedBundle> bundles;
  for (int i = 0; i < 5; ++i) bundles.push_back(provision("edge-" + std::to_string(i)));
  for (const auto& bundle : bundles) {
    EXPECT_EQ(authenticate(bundle.token)->client_id, bundle.client_id);
  }
}

TEST_F(ClientServiceTest, a_revocation_is_never_overtaken_by_an_older_snapshot) {
  const auto bundle = provision("edge-01");
  for (int round = 0; round < 20; ++round) {
    auto check = io_.start(service_->authenticate("Bearer " + bundle.token.reveal()));
    auto revoke = io_.start(service_->revoke("edge-01"));
    bool revoked_first = false;
    io_.run_until([&] {
      if (!check->has_value() && revoke->has_value()) revoked_first = true;
      return check->has_value() && revoke->has_value();
    });
    // A session registered after the cut would outlive the revocation.
    if (revoked_first) EXPECT_EQ((*check)->error(), Errc::token_revoked);
    ASSERT_TRUE(store_->write_now([&](store::Connection& c) {
      return store::rotate_client_token(c, bundle.client_id,
                                        crypto::sha256_hex(bundle.token.reveal()), clock_.now());
    }));
  }
}

TEST_F(ClientServiceTest, HTTP_7_1_list_is_by_name_with_live_sessions) {
  provision("edge-b");
  const auto a = provision("edge-a");
  ASSERT_TRUE(enroll("edge-c"));  // not redeemed: not a client yet
  connect(a.client_id);
  const auto views = io_.run(service_->list()).value();
  ASSERT_EQ(views.size(), 2U);
  EXPECT_EQ(views[0].row.name, "edge-a");
  ASSERT_TRUE(views[0].session);
  EXPECT_EQ(views[0].session->remote_addr, "203.0.113.9:51514");
  EXPECT_EQ(views[1].row.name, "edge-b");
  EXPECT_FALSE(views[1].session);
}

TEST_F(ClientServiceTest, HTTP_2_resolution_order) {
  const auto bundle = provision("edge-01");
  const auto by_name = io_.run(service_->resolve("edge-01")).value();
  EXPECT_EQ(by_name.row->client_id, bundle.client_id);
  const auto by_id = io_.run(service_->resolve(bundle.client_id)).value();
  EXPECT_EQ(by_id.name, "edge-01");
  const auto bare = io_.run(service_->resolve("edge-99")).value();
  EXPECT_EQ(bare.name, "edge-99");
  EXPECT_FALSE(bare.row);
  EXPECT_EQ(io_.run(service_->resolve(kUnknownId)).error(), Errc::client_not_found);
  for (const char* bad : {"", "Edge", "a--b", "-a", "a_b", "01j00000000000000000000009X"}) {
    EXPECT_EQ(io_.run(service_->resolve(bad)).error(), Errc::invalid_name) << bad;
  }
}

TEST_F(ClientServiceTest, HTTP_7_1_revoke_cuts_the_session_and_is_idempotent) {
  const auto bundle = provision("edge-01");
  connect(bundle.client_id);
  ASSERT_TRUE(io_.run(service_->revoke(bundle.client_id)));
  ASSERT_EQ(sessions_.ended.size(), 1U);
  EXPECT_EQ(sessions_.ended[0], std::pair(bundle.client_id, std::string("token_revoked")));
  EXPECT_EQ(log_.count("audit.revoke", {"\"outcome\":\"ok\"", "\"client_name\":\"edge-01\"",
                                        "\"was_connected\":true"}),
            1U);
  const auto revoked_at = io_.run(service_->list())->front().row.revoked_at;
  EXPECT_EQ(revoked_at, clock_.now());
  clock_.advance(std::chrono::hours(1));
  ASSERT_TRUE(io_.run(service_->revoke("edge-01")));
  EXPECT_EQ(io_.run(service_->list())->front().row.revoked_at, revoked_at);
  EXPECT_EQ(log_.count("audit.revoke", {"\"outcome\":\"noop\""}), 1U);

  EXPECT_TRUE(io_.run(service_->revoke("nobody")));
  EXPECT_EQ(io_.run(service_->revoke(kUnknownId)).error(), Errc::client_not_found);
  EXPECT_EQ(io_.run(service_->revoke("No Name")).error(), Errc::invalid_name);
}

TEST_F(ClientServiceTest, revoke_works_without_a_running_server) {
  const auto bundle = provision("edge-01");
  service_->set_sink(nullptr);
  ASSERT_TRUE(io_.run(service_->revoke("edge-01")));
  EXPECT_EQ(log_.count("audit.revoke", {"\"was_connected\":false"}), 1U);
}

TEST_F(ClientServiceTest, HTTP_7_1_address_is_canonical) {
  const auto bundle = provision("edge-01");
  EXPECT_EQ(io_.run(service_->set_address("Edge", "http://x")).error(), Errc::invalid_name);
  EXPECT_EQ(io_.run(service_->set_address("nobody", "a:80")).error(), Errc::invalid_client_address);
  EXPECT_EQ(io_.run(service_->set_address("nobody", "a")).error(), Errc::client_not_found);
  const auto view = io_.run(service_->set_address(bundle.client_id, " EDGE.Example.com. "));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->row.address, "edge.example.com");
  EXPECT_EQ(io_.run(service_->list())->front().row.address, "edge.example.com");
  EXPECT_EQ(log_.count("audit.client_update", {"\"client_name\":\"edge-01\""}), 1U);
}

TEST_F(ClientServiceTest, HTTP_7_1_rename_keeps_everything_else) {
  const auto bundle = provision("edge-01");
  provision("edge-02");
  connect(bundle.client_id);
  const auto rename = [&](std::string client, std::string name) {
    return io_.run(service_->rename(std::move(client), std::move(name)));
  };
  EXPECT_EQ(rename("edge-01", "Bad").error(), Errc::invalid_name);
  EXPECT_EQ(rename("nobody", "edge-03").error(), Errc::client_not_found);
  EXPECT_EQ(rename("edge-01", "edge-02").error(), Errc::client_already_exists);
  EXPECT_TRUE(rename("edge-01", "edge-01"));
  const auto view = rename(bundle.client_id, "edge-03");
  ASSERT_TRUE(view);
  EXPECT_EQ(view->row.name, "edge-03");
  EXPECT_TRUE(view->session);
  EXPECT_TRUE(sessions_.ended.empty());
  EXPECT_EQ(listener_.heard.back(), "changed edge-03");
  EXPECT_EQ(authenticate(bundle.token)->name, "edge-03");
}

TEST_F(ClientServiceTest, a_pending_code_follows_a_rename_and_a_strangers_code_does_not_take_over) {
  const auto bundle = provision("edge-01");
  const auto own = enroll_again("edge-01").value();
  const auto strangers = enroll("edge-02").value();
  ASSERT_TRUE(io_.run(service_->rename("edge-01", "edge-02")));
  EXPECT_EQ(redeem(strangers).error(), Errc::enrollment_invalid);
  const auto again = redeem(own).value();
  EXPECT_EQ(again.client_id, bundle.client_id);
  EXPECT_EQ(again.client_name, "edge-02");
}

TEST_F(ClientServiceTest, HTTP_7_1_delete_only_after_revoke) {
  const auto bundle = provision("edge-01");
  const auto pending = enroll_again("edge-01").value();
  EXPECT_EQ(io_.run(service_->remove("edge-01")).error(), Errc::client_not_revoked);
  EXPECT_EQ(io_.run(service_->remove("nobody")).error(), Errc::client_not_found);
  EXPECT_EQ(io_.run(service_->remove(kUnknownId)).error(), Errc::client_not_found);
  EXPECT_EQ(io_.run(service_->remove("")).error(), Errc::invalid_name);
  ASSERT_TRUE(io_.run(service_->revoke("edge-01")));
  ASSERT_TRUE(io_.run(service_->remove("edge-01")));
  EXPECT_EQ(listener_.heard.back(), "removed");
  EXPECT_EQ(listener_.last_id, bundle.client_id);
  EXPECT_EQ(log_.count("audit.client_delete", {"\"client_name\":\"edge-01\""}), 1U);
  EXPECT_TRUE(io_.run(service_->list())->empty());
  EXPECT_EQ(redeem(pending).error(), Errc::enrollment_invalid);
  // The name is free again and gets another id.
  EXPECT_NE(provision("edge-01").client_id, bundle.client_id);
}

}  // namespace
}  // namespace portunus::server::auth
