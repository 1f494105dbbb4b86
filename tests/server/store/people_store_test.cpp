#include <gtest/gtest.h>

#include "server/store/client_store.hpp"
#include "server/store/connection.hpp"
#include "server/store/credential_store.hpp"
#include "server/store/errc.hpp"
#include "server/store/grant_store.hpp"
#include "server/store/migrator.hpp"
#include "server/store/owner_limit_store.hpp"
#include "server/store/rule_removal.hpp"
#include "server/store/rule_store.hpp"
#include "server/store/user_store.hpp"
#include "tests/support/temp_dir.hpp"

// Users, credentials and grants (store-and-quotas 3).

namespace portunus::server::store {
namespace {

const std::string kEdge = "01J00000000000000000000001";
const std::string kGrant = "01J00000000000000000000011";
const std::string kCredential = "01J00000000000000000000021";

class PeopleStoreTest : public testing::Test {
 protected:
  PeopleStoreTest()
      : c(dir_ / "state.db", Connection::Access::write, std::chrono::milliseconds(100)) {
    c.configure();
    EXPECT_TRUE(migrate(c, 0, embedded_migrations(), SystemTime{}));
    EXPECT_TRUE(insert_user(c, user("alice")));
    EXPECT_TRUE(insert_client(c, {.client_id = kEdge,
                                  .name = "edge-01",
                                  .token_hash = std::string(64, 'a'),
                                  .provisioned_at = {},
                                  .revoked_at = std::nullopt,
                                  .address = std::nullopt}));
  }
  static UserRow user(std::string id) {
    UserRow row;
    row.user_id = std::move(id);
    row.display_name = "A";
    return row;
  }
  static GrantRow grant(std::optional<ClientRef> client = ClientRef{kEdge, "edge-01"}) {
    GrantRow row;
    row.grant_id = kGrant;
    row.user_id = "alice";
    row.client = std::move(client);
    row.listen_port_start = 1;
    row.listen_port_end = 65'535;
    row.udp = true;
    row.note = "n";
    row.created_at = from_unix_micros(7);
    return row;
  }
  Result<> add_credential() {
    CredentialRow row;
    row.credential_id = kCredential;
    row.user_id = "alice";
    row.token_hash = std::string(64, 'b');
    return insert_credential(c, row);
  }
  RuleId add_rule(std::uint16_t port) {
    RuleRow row;
    row.spec.owner_id = "alice";
    row.spec.listen_port = port;
    row.spec.targets = {{"10.0.0.5", 80}};
    row.client_id = kEdge;
    row.client_name = "edge-01";
    return insert_rule(c, row).value();
  }

  test::TempDir dir_;
  Connection c;
};

TEST_F(PeopleStoreTest, SQ_3_a_user_holds_a_password_hash_or_none_and_the_flag) {
  EXPECT_EQ(find_user(c, "alice").value()->password_hash, std::nullopt);
  UserRow bob = user("bob");
  bob.password_hash = "$argon2id$x";
  bob.password_change_required = true;
  ASSERT_TRUE(insert_user(c, bob));
  const UserRow row = find_user(c, "bob").value().value();
  EXPECT_EQ(row.password_hash, "$argon2id$x");
  EXPECT_TRUE(row.password_change_required);
}

TEST_F(PeopleStoreTest, grant_round_trip) {
  ASSERT_TRUE(insert_grant(c, grant()));
  const GrantRow row = find_grant(c, kGrant).value().value();
  EXPECT_EQ(row.user_id, "alice");
  EXPECT_EQ(row.client, (ClientRef{kEdge, "edge-01"}));
  EXPECT_EQ(row.listen_port_start, 1);
  EXPECT_EQ(row.listen_port_end, 65'535);
  EXPECT_FALSE(row.tcp);
  EXPECT_TRUE(row.udp);
  EXPECT_EQ(row.note, "n");
  EXPECT_EQ(row.created_at, from_unix_micros(7));
  EXPECT_EQ(count_grants(c).value(), 1);
  EXPECT_EQ(list_grants(c, "alice")->size(), 1U);
  EXPECT_EQ(list_grants(c, std::nullopt)->size(), 1U);
  EXPECT_TRUE(list_grants(c, "bob")->empty());
  EXPECT_TRUE(remove_grant(c, kGrant).value());
  EXPECT_FALSE(remove_grant(c, kGrant).value());
  ASSERT_TRUE(insert_grant(c, grant(std::nullopt)));
  EXPECT_EQ(find_grant(c, kGrant).value()->client, std::nullopt);
}

TEST_F(PeopleStoreTest, SQ_3_constraints_of_a_grant) {
  const auto refused = [&](auto change) {
    GrantRow row = grant();
    change(row);
    const auto done = insert_grant(c, row);
    return !done && done.error() == Errc::constraint;
  };
  EXPECT_TRUE(refused([](GrantRow& row) { row.listen_port_start = 0; }));
  EXPECT_TRUE(refused([](GrantRow& row) {
    row.listen_port_start = 3;
    row.listen_port_end = 2;
  }));
  EXPECT_TRUE(refused([](GrantRow& row) { row.udp = false; }));
  EXPECT_TRUE(refused([](GrantRow& row) { row.user_id = "nobody"; }));
  EXPECT_TRUE(refused([](GrantRow& row) { row.client->client_id = "01J00000000000000000000009"; }));
  EXPECT_TRUE(refused([](GrantRow& row) { row.client->client_name = "*"; }));
  EXPECT_EQ(count_grants(c).value(), 0);
}

TEST_F(PeopleStoreTest, SQ_3_a_user_goes_with_credentials_and_grants_but_not_over_his_rules) {
  ASSERT_TRUE(insert_grant(c, grant()));
  ASSERT_TRUE(add_credential());
  const RuleId rule = add_rule(80);
  EXPECT_EQ(remove_user(c, "alice").error(), Errc::constraint);
  ASSERT_TRUE(remove_rule_and_caps(c, rule));
  EXPECT_TRUE(remove_user(c, "alice").value());
  EXPECT_FALSE(remove_user(c, "alice").value());
  EXPECT_EQ(count_grants(c).value(), 0);
  EXPECT_EQ(find_credential(c, kCredential).value(), std::nullopt);
}

TEST_F(PeopleStoreTest, SQ_3_the_last_rule_takes_the_caps_along) {
  OwnerLimitRow caps;
  caps.client = {kEdge, "edge-01"};
  caps.owner_id = "alice";
  caps.limit.concurrent_connections = 1;
  ASSERT_TRUE(put_owner_limit(c, caps));
  const RuleId one = add_rule(80);
  const RuleId two = add_rule(81);
  const auto first = remove_rule_and_caps(c, one).value().value();
  EXPECT_EQ(first.id, one);
  EXPECT_EQ(first.owner_id, "alice");
  EXPECT_EQ(first.client, caps.client);
  EXPECT_FALSE(first.caps);
  EXPECT_TRUE(remove_rule_and_caps(c, two).value()->caps);
  EXPECT_TRUE(list_owner_limits(c)->empty());
  EXPECT_FALSE(remove_rule_and_caps(c, two).value());
}

TEST_F(PeopleStoreTest, SQ_3_rules_go_together_and_the_last_ones_take_the_caps_along) {
  OwnerLimitRow caps;
  caps.owner_id = "alice";
  caps.limit.concurrent_connections = 1;
  for (const ClientRef& client :
       {ClientRef{kEdge, "edge-01"}, ClientRef{std::nullopt, "edge-77"}}) {
    caps.client = client;
    ASSERT_TRUE(put_owner_limit(c, caps));
  }
  add_rule(80);
  const RuleId second = add_rule(81);
  add_rule(82);
  auto rules = list_rules_of(c, "alice").value();
  const std::vector<RuleRow> left(rules.begin() + 2, rules.end());
  rules.resize(2);
  const auto removed = remove_rules_and_caps(c, rules).value();
  ASSERT_EQ(removed.size(), 2U);
  EXPECT_EQ(removed[1].id, second);
  EXPECT_EQ(removed[1].owner_id, "alice");
  EXPECT_EQ(removed[1].client, (ClientRef{kEdge, "edge-01"}));
  EXPECT_FALSE(removed[0].caps || removed[1].caps) << "a rule is left there";
  EXPECT_EQ(list_rules(c)->size(), 1U);

  const auto last = remove_rules_and_caps(c, left).value();
  ASSERT_EQ(last.size(), 1U);
  EXPECT_TRUE(last[0].caps);
  EXPECT_EQ(list_owner_limits(c)->size(), 1U) << "that of the other client";
  EXPECT_TRUE(remove_rules_and_caps(c, {})->empty());
}

TEST_F(PeopleStoreTest, caps_of_an_owner_go_from_every_client) {
  OwnerLimitRow caps;
  caps.client = {kEdge, "edge-01"};
  caps.owner_id = "alice";
  caps.limit.concurrent_connections = 1;
  ASSERT_TRUE(put_owner_limit(c, caps));
  caps.client = {std::nullopt, "edge-77"};
  ASSERT_TRUE(put_owner_limit(c, caps));
  caps.owner_id = "bob";
  ASSERT_TRUE(put_owner_limit(c, caps));
  EXPECT_EQ(remove_owner_limits_of(c, "alice")->size(), 2U);
  EXPECT_TRUE(remove_owner_limits_of(c, "alice")->empty());
  EXPECT_EQ(list_owner_limits(c)->size(), 1U);
}

TEST_F(PeopleStoreTest, summaries_count_what_a_user_has) {
  ASSERT_TRUE(insert_user(c, user("_z")));
  ASSERT_TRUE(insert_grant(c, grant()));
  ASSERT_TRUE(add_credential());
  EXPECT_TRUE(revoke_credential(c, kCredential, from_unix_micros(9)).value());
  EXPECT_FALSE(revoke_credential(c, kCredential, from_unix_micros(10)).value());
  EXPECT_EQ(list_credentials(c, "alice")->at(0).revoked_at, from_unix_micros(9));
  const auto all = list_users(c).value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].user.user_id, "_z");
  EXPECT_EQ(all[1].credentials, 1U);
  EXPECT_EQ(all[1].grants, 1U);
  EXPECT_EQ(summarize_user(c, "_z").value()->grants, 0U);
  EXPECT_FALSE(summarize_user(c, "nobody").value());
}

TEST_F(PeopleStoreTest, rules_of_an_owner_are_ascending_and_only_his) {
  const RuleId one = add_rule(80);
  const RuleId two = add_rule(81);
  const auto rows = list_rules_of(c, "alice").value();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].spec.id, one);
  EXPECT_EQ(rows[1].spec.id, two);
  EXPECT_EQ(rows[1].spec.listen_port, 81);
  EXPECT_TRUE(list_rules_of(c, "bob")->empty());
}

}  // namespace
}  // namespace portunus::server::store
