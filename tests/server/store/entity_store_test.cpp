#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "server/store/client_store.hpp"
#include "server/store/connection.hpp"
#include "server/store/credential_store.hpp"
#include "server/store/enrollment_store.hpp"
#include "server/store/errc.hpp"
#include "server/store/migrator.hpp"
#include "server/store/rule_store.hpp"
#include "server/store/user_store.hpp"
#include "tests/support/temp_dir.hpp"

namespace portunus::server::store {
namespace {

constexpr std::string_view kId = "01J00000000000000000000001";
constexpr std::string_view kOther = "01J00000000000000000000002";

class EntityStoreTest : public testing::Test {
 protected:
  EntityStoreTest()
      : c(dir_ / "state.db", Connection::Access::write, std::chrono::milliseconds(100)) {
    c.configure();
    EXPECT_TRUE(migrate(c, 0, embedded_migrations(), at(0)));
    EXPECT_TRUE(insert_user(c, {.user_id = "alice",
                                .display_name = "Alice",
                                .role = Role::superadmin,
                                .disabled = false,
                                .created_at = at(1)}));
  }
  static SystemTime at(std::int64_t second) {
    return SystemTime(std::chrono::seconds(1'700'000'000 + second));
  }
  static std::string hash(char c) { return std::string(64, c); }
  Result<> add_client(std::string_view id, std::string name, char hash_char) {
    return insert_client(c, {.client_id = std::string(id),
                             .name = std::move(name),
                             .token_hash = hash(hash_char),
                             .provisioned_at = at(2),
                             .revoked_at = std::nullopt,
                             .address = std::nullopt});
  }
  Result<std::int64_t> add_code(std::string name, char hash_char, std::int64_t second) {
    return insert_enrollment(c, {.id = 0,
                                 .client_name = std::move(name),
                                 .address = "edge.example",
                                 .code_hash = hash(hash_char),
                                 .created_at = at(second),
                                 .expires_at = at(second + 600),
                                 .consumed_at = std::nullopt,
                                 .endpoint = "d.example:7443"});
  }
  static RuleRow rule(std::optional<std::string> client_id, std::string client_name) {
    RuleRow row;
    row.spec.listen_port = 18080;
    row.spec.targets = {{"10.0.0.5", 80}};
    row.spec.owner_id = "alice";
    row.client_id = std::move(client_id);
    row.client_name = std::move(client_name);
    row.created_at = at(3);
    row.last_state_change_at = at(3);
    return row;
  }
  RuleRow only_rule() {
    const auto rules = list_rules(c).value();
    EXPECT_EQ(rules.size(), 1U);
    return rules.front();
  }

  test::TempDir dir_;
  Connection c;
};

TEST_F(EntityStoreTest, user_round_trip) {
  const auto found = find_user(c, "alice").value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->role, Role::superadmin);
  EXPECT_EQ(found->created_at, at(1));
  EXPECT_FALSE(find_user(c, "bob").value());
  EXPECT_TRUE(superadmin_exists(c, true).value());
  c.run_script("UPDATE users SET disabled = 1");
  EXPECT_FALSE(superadmin_exists(c, true).value());
  EXPECT_TRUE(superadmin_exists(c, false).value());
}

TEST_F(EntityStoreTest, credential_round_trip) {
  const CredentialRow row{.credential_id = std::string(kId),
                          .user_id = "alice",
                          .token_hash = hash('a'),
                          .label = std::nullopt,
                          .created_at = at(1),
                          .last_used_at = std::nullopt,
                          .revoked_at = std::nullopt};
  ASSERT_TRUE(insert_credential(c, row));
  ASSERT_TRUE(touch_credential(c, kId, at(9)));
  const auto found = find_credential(c, kId).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->label, std::nullopt);
  EXPECT_EQ(found->last_used_at, at(9));

  CredentialRow twin = row;
  twin.credential_id = kOther;
  EXPECT_EQ(insert_credential(c, twin).error(), Errc::constraint);  // same hash
  twin.token_hash = hash('b');
  twin.user_id = "nobody";
  EXPECT_EQ(insert_credential(c, twin).error(), Errc::constraint);
}

TEST_F(EntityStoreTest, clients_and_credentials_are_found_by_the_beginning_of_their_hash) {
  ASSERT_TRUE(add_client(kId, "edge-01", 'a'));
  ASSERT_TRUE(add_client(kOther, "edge-02", 'f'));
  ASSERT_TRUE(insert_credential(c, {.credential_id = std::string(kId),
                                    .user_id = "alice",
                                    .token_hash = hash('0'),
                                    .label = std::nullopt,
                                    .created_at = at(3),
                                    .last_used_at = std::nullopt,
                                    .revoked_at = std::nullopt}));
  const auto seen = [&](auto scan, std::string_view prefix) {
    std::vector<std::pair<std::string, std::string>> rows;
    EXPECT_TRUE(scan(c, prefix, [&](std::string_view stored, std::string_view id) {
      rows.emplace_back(stored, id);
    }));
    return rows;
  };
  using Rows = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(seen(scan_client_hashes, "ffffffffffffffff"), (Rows{{hash('f'), std::string(kOther)}}));
  EXPECT_EQ(seen(scan_client_hashes, hash('a')), (Rows{{hash('a'), std::string(kId)}}));
  EXPECT_EQ(seen(scan_client_hashes, "af"), Rows{});
  EXPECT_EQ(seen(scan_client_hashes, "").size(), 2U);
  EXPECT_EQ(seen(scan_credential_hashes, "0000"), (Rows{{hash('0'), std::string(kId)}}));
  EXPECT_EQ(seen(scan_credential_hashes, "1"), Rows{});
}

TEST_F(EntityStoreTest, client_names_are_unique_and_keys_resolve) {
  ASSERT_TRUE(add_client(kId, "edge-01", 'a'));
  EXPECT_EQ(add_client(kOther, "edge-01", 'b').error(), Errc::constraint);
  EXPECT_EQ(add_client(kOther, "edge-02", 'a').error(), Errc::constraint);

  EXPECT_EQ(resolve_client(c, "edge-01")->row->client_id, kId);
  EXPECT_EQ(resolve_client(c, kId)->row->name, "edge-01");
  EXPECT_EQ(resolve_client(c, kOther)->kind, ClientKey::Kind::unknown_id);
  EXPECT_EQ(resolve_client(c, "edge-09")->kind, ClientKey::Kind::bare_name);
  EXPECT_EQ(resolve_client(c, "Edge")->kind, ClientKey::Kind::bad_name);
}

TEST_F(EntityStoreTest, an_enrolled_name_that_looks_like_an_id_is_a_name) {
  const std::string digits = "01234567890123456789012345";
  EXPECT_EQ(resolve_client(c, digits)->kind, ClientKey::Kind::unknown_id);
  ASSERT_TRUE(add_client(kId, digits, 'a'));
  EXPECT_EQ(resolve_client(c, digits)->row->client_id, kId);
}

TEST_F(EntityStoreTest, revoke_is_told_once_and_rotation_lifts_it) {
  ASSERT_TRUE(add_client(kId, "edge-01", 'a'));
  EXPECT_TRUE(revoke_client(c, kId, at(5)).value());
  EXPECT_FALSE(revoke_client(c, kId, at(6)).value());
  EXPECT_EQ(find_client(c, kId).value()->revoked_at, at(5));
  EXPECT_TRUE(rotate_client_token(c, kId, hash('b'), at(7)).value());
  const auto row = find_client(c, kId).value();
  EXPECT_EQ(row->revoked_at, std::nullopt);
  EXPECT_EQ(row->provisioned_at, at(7));
  EXPECT_EQ(row->token_hash, hash('b'));
}

TEST_F(EntityStoreTest, one_unused_code_per_name_and_old_ones_go) {
  const auto first = add_code("edge-01", 'a', 0).value();
  const auto second = add_code("edge-01", 'b', 10).value();
  EXPECT_EQ(find_enrollment(c, first).value()->consumed_at, at(10));
  EXPECT_EQ(find_enrollment(c, second).value()->consumed_at, std::nullopt);
  EXPECT_TRUE(consume_enrollment(c, second, at(20)).value());
  EXPECT_FALSE(consume_enrollment(c, second, at(21)).value());

  const std::int64_t day = 86'400;
  const auto kept = add_code("edge-02", 'c', 20 + day).value();
  EXPECT_FALSE(find_enrollment(c, first).value());
  EXPECT_TRUE(find_enrollment(c, second).value());  // exactly a day: not over it
  ASSERT_TRUE(add_code("edge-03", 'd', 21 + day));
  EXPECT_FALSE(find_enrollment(c, second).value());
  EXPECT_TRUE(find_enrollment(c, kept).value());
  ASSERT_TRUE(add_code("edge-04", 'e', 20 + day + 600 + day + 1));
  EXPECT_FALSE(find_enrollment(c, kept).value());  // expired for over a day
}

TEST_F(EntityStoreTest, rule_round_trip_keeps_the_tri_state) {
  ASSERT_TRUE(add_client(kId, "edge-01", 'a'));
  for (const std::optional<bool> preference :
       {std::optional<bool>(), std::optional(false), std::optional(true)}) {
    RuleRow row = rule(std::string(kId), "edge-01");
    row.spec.prefer_ipv6 = preference;
    const RuleId id = insert_rule(c, row).value();
    row.spec.id = id;
    const RuleRow stored = only_rule();
    EXPECT_EQ(stored.spec, row.spec);
    EXPECT_EQ(stored.state, RuleState::pending);
    EXPECT_EQ(stored.client_id, kId);
    ASSERT_TRUE(remove_rule(c, id).value());
  }
}

TEST_F(EntityStoreTest, STORE_3_rules_of_every_shape_round_trip) {
  const auto stored = [&](const std::function<void(model::RuleSpec&)>& shape) {
    RuleRow row = rule(std::nullopt, "edge-01");
    shape(row.spec);
    row.spec.id = insert_rule(c, row).value();
    const RuleRow found = only_rule();
    EXPECT_EQ(found.spec, row.spec);
    EXPECT_TRUE(remove_rule(c, row.spec.id).value());
  };
  stored([](auto& spec) {
    spec.protocol = model::Protocol::udp;
    spec.listen_port = 64'512;
    spec.ports = 1024;
  });
  stored([](auto& spec) {
    spec.listed = true;
    spec.targets.clear();
    for (std::uint16_t i = 0; i < model::kMaxTargets; ++i) {
      spec.targets.push_back({"h" + std::to_string(i) + ".example", i, 99U - i});
      spec.targets.back().port += 1;
    }
    spec.targets[1].proxy = model::ProxyVersion::v1;
    spec.targets[7].proxy = model::ProxyVersion::v2;
    spec.health_check_interval_secs = 3600;
  });
  stored([](auto& spec) {
    spec.listed = true;
    spec.sni_pattern = "*.example.com";
    spec.rate_limit = model::RateLimit{.concurrent_connections = 1};
  });
  static constexpr auto kMost64 = std::numeric_limits<std::uint64_t>::max();
  static constexpr auto kMost32 = std::numeric_limits<std::uint32_t>::max();
  stored([](auto& spec) {
    spec.listed = true;
    spec.rate_limit = {kMost64, kMost64 - 1, kMost32, kMost32, kMost64, 1, kMost32};
  });
}

TEST_F(EntityStoreTest, STORE_3_targets_stay_with_their_rules) {
  for (std::uint16_t i = 1; i <= 3; ++i) {
    RuleRow row = rule(std::nullopt, "edge-01");
    row.spec.listen_port = i;
    row.spec.targets.assign(i, {"h", i});
    ASSERT_TRUE(insert_rule(c, row));
  }
  ASSERT_TRUE(remove_rule(c, RuleId{2}).value());
  const auto rules = list_rules(c).value();
  ASSERT_EQ(rules.size(), 2U);
  EXPECT_EQ(rules[0].spec.targets, std::vector<model::Target>(1, {"h", 1}));
  EXPECT_EQ(rules[1].spec.targets, std::vector<model::Target>(3, {"h", 3}));
  Query left(c, "SELECT count(*) FROM rule_targets");
  ASSERT_TRUE(left.step());
  EXPECT_EQ(left.integer(0), 4);
}

TEST_F(EntityStoreTest, caps_are_replaced_whole) {
  const RuleId id = insert_rule(c, rule(std::nullopt, "edge-01")).value();
  const model::RateLimit in{.bandwidth_in_bps = 1000, .bandwidth_in_burst = 10};
  ASSERT_TRUE(set_rule_limit(c, id, in).value());
  EXPECT_EQ(only_rule().spec.rate_limit, in);
  const model::RateLimit out{.bandwidth_out_bps = 7};
  ASSERT_TRUE(set_rule_limit(c, id, out).value());
  EXPECT_EQ(only_rule().spec.rate_limit, out);
  ASSERT_TRUE(set_rule_limit(c, id, std::nullopt).value());
  EXPECT_EQ(only_rule().spec.rate_limit, std::nullopt);
  EXPECT_FALSE(set_rule_limit(c, RuleId{99}, out).value());
  EXPECT_EQ(set_rule_limit(c, id, model::RateLimit{.bandwidth_in_bps = 0}).error(),
            Errc::constraint);
}

TEST_F(EntityStoreTest, rule_ids_ascend_and_are_never_reused) {
  const RuleId first = insert_rule(c, rule(std::nullopt, "edge-01")).value();
  EXPECT_EQ(first.value, 1U);
  const RuleId second = insert_rule(c, rule(std::nullopt, "edge-01")).value();
  ASSERT_TRUE(remove_rule(c, second).value());
  ASSERT_TRUE(remove_rule(c, first).value());
  EXPECT_FALSE(remove_rule(c, first).value());
  EXPECT_EQ(insert_rule(c, rule(std::nullopt, "edge-01")).value().value, 3U);
}

TEST_F(EntityStoreTest, rule_state_carries_a_reason_only_when_failed) {
  const RuleId id = insert_rule(c, rule(std::nullopt, "edge-01")).value();
  ASSERT_TRUE(set_rule_state(c, id, RuleState::failed, "port_in_use", at(5)).value());
  EXPECT_EQ(only_rule().failure_reason, "port_in_use");
  ASSERT_TRUE(set_rule_state(c, id, RuleState::active, "ignored", at(6)).value());
  EXPECT_EQ(only_rule().failure_reason, "");
  EXPECT_EQ(only_rule().last_state_change_at, at(6));
  EXPECT_FALSE(set_rule_state(c, RuleId{99}, RuleState::active, "", at(6)).value());
}

TEST_F(EntityStoreTest, bad_rules_are_refused_by_the_schema) {
  RuleRow row = rule(std::nullopt, "edge-01");
  row.spec.listen_port = 0;
  EXPECT_EQ(insert_rule(c, row).error(), Errc::constraint);
  row = rule(std::nullopt, "edge-01");
  row.spec.owner_id = "nobody";
  EXPECT_EQ(insert_rule(c, row).error(), Errc::constraint);
  EXPECT_EQ(insert_rule(c, rule(std::string(kOther), "edge-01")).error(), Errc::constraint);
  using Change = std::function<void(model::RuleSpec&)>;
  const std::pair<const char*, Change> bad[] = {
      {"no port", [](auto& spec) { spec.ports = 0; }},
      {"past 65535",
       [](auto& spec) {
         spec.listen_port = 65'535;
         spec.ports = 2;
       }},
      {"a listed range",
       [](auto& spec) {
         spec.listed = true;
         spec.ports = 2;
       }},
      {"SNI on UDP",
       [](auto& spec) {
         spec.sni_pattern = "a.b";
         spec.protocol = model::Protocol::udp;
       }},
      {"SNI on a range",
       [](auto& spec) {
         spec.sni_pattern = "a.b";
         spec.ports = 2;
       }},
      {"interval 0", [](auto& spec) { spec.health_check_interval_secs = 0; }},
      {"interval over an hour", [](auto& spec) { spec.health_check_interval_secs = 3601; }},
      {"a cap of 0", [](auto& spec) { spec.rate_limit = {.new_connections_per_sec = 0}; }},
      {"a burst of 0", [](auto& spec) { spec.rate_limit = {.bandwidth_out_burst = 0}; }},
      {"target port 0", [](auto& spec) { spec.targets.front().port = 0; }},
      {"priority 100", [](auto& spec) { spec.targets.front().priority = 100; }},
      {"nine targets", [](auto& spec) { spec.targets.assign(9, spec.targets.front()); }},
  };
  for (const auto& [name, change] : bad) {
    row = rule(std::nullopt, "edge-01");
    change(row.spec);
    const auto refused = insert_rule(c, row);
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error(), Errc::constraint) << name << ": " << refused.error().text();
  }
}

TEST_F(EntityStoreTest, rules_follow_their_client_through_enrolling_renaming_and_deleting) {
  ASSERT_TRUE(insert_rule(c, rule(std::nullopt, "edge-01")));
  ASSERT_TRUE(add_client(kId, "edge-01", 'a'));
  ASSERT_TRUE(bind_rules(c, "edge-01", kId));
  EXPECT_EQ(only_rule().client_id, kId);

  ASSERT_TRUE(add_code("edge-01", 'c', 0));
  ASSERT_TRUE(add_code("edge-02", 'd', 0));  // somebody else's, for a client to come
  ASSERT_TRUE(rename_client(c, kId, "edge-02").value());
  EXPECT_EQ(only_rule().client_name, "edge-02");
  int codes = 0;
  ASSERT_TRUE(scan_enrollment_hashes(c, [&](std::string_view code, std::string_view) {
    ++codes;
    EXPECT_EQ(code, hash('c'));
  }));
  EXPECT_EQ(codes, 1);

  ASSERT_TRUE(remove_client(c, kId).value());
  EXPECT_EQ(only_rule().client_id, std::nullopt);
  EXPECT_EQ(only_rule().client_name, "edge-02");
  codes = 0;
  ASSERT_TRUE(scan_enrollment_hashes(c, [&](auto, auto) { ++codes; }));
  EXPECT_EQ(codes, 0);
}

}  // namespace
}  // namespace portunus::server::store
