#include "tests/server/people/people_fixture.hpp"

// http-api 6.1 and the removal of a user (http-api 4, store-and-quotas 3).

namespace portunus::server::people {
namespace {

class UserServiceTest : public PeopleFixture {
 protected:
  Result<store::UserRow> add(NewUser user) {
    return io_.run(people_->users.add("root", std::move(user)));
  }
  Result<RemovedUser> remove(const std::string& actor, const std::string& id) {
    return io_.run(people_->users.remove(actor, id));
  }
  std::vector<std::string> ids() {
    std::vector<std::string> out;
    for (const auto& row : io_.run(people_->users.list()).value()) out.push_back(row.user.user_id);
    return out;
  }
};

TEST_F(UserServiceTest, HTTP_6_1_a_user_is_added_with_a_trimmed_name_and_no_token) {
  const auto row = add({.user_id = "alice", .display_name = "  Alice A.  "}).value();
  EXPECT_EQ(row.display_name, "Alice A.");
  EXPECT_EQ(row.role, store::Role::user);
  EXPECT_FALSE(row.password_hash);
  const auto stored = io_.run(people_->users.get("alice")).value();
  EXPECT_EQ(stored.user.display_name, "Alice A.");
  EXPECT_EQ(stored.credentials, 0U);
  EXPECT_EQ(stored.grants, 0U);
  EXPECT_EQ(hasher_.calls, 0);
  EXPECT_EQ(log_.count("operator.user_added",
                       {"\"actor\":\"root\"", "\"new_user\":\"alice\"", "\"outcome\":\"ok\""}),
            1U);
}

TEST_F(UserServiceTest, HTTP_6_1_a_password_is_stored_as_its_hash_with_the_flag) {
  ASSERT_TRUE(add({.user_id = "alice",
                   .display_name = "A",
                   .role = "superadmin",
                   .initial_password = Secret("long enough password"),
                   .password_change_required = true}));
  const auto stored = io_.run(people_->users.get("alice")).value().user;
  EXPECT_EQ(stored.role, store::Role::superadmin);
  EXPECT_EQ(stored.password_hash, "$hash$long enough password");
  EXPECT_TRUE(stored.password_change_required);
}

TEST_F(UserServiceTest, HTTP_6_1_refusals_of_a_new_user_in_their_order) {
  // Each call still has the faults of the later ones.
  NewUser user{
      .user_id = "Root", .display_name = " ", .role = "boss", .password_change_required = true};
  EXPECT_EQ(add(user).error(), Errc::invalid_user_id);
  user.user_id = "_root";
  EXPECT_EQ(add(user).error(), Errc::reserved_user_id);
  user.user_id = "_No id!";
  EXPECT_EQ(add(user).error(), Errc::reserved_user_id);
  user.user_id = "root";
  EXPECT_EQ(add(user).error(), Errc::invalid_display_name);
  user.display_name = std::string(65, 'x');
  EXPECT_EQ(add(user).error(), Errc::invalid_display_name);
  user.display_name = std::string(64, 'x');
  EXPECT_EQ(add(user).error(), Errc::unknown_role);
  user.role = "user";
  EXPECT_EQ(add(user).error(), Errc::initial_password_required);
  user.initial_password = Secret("short");
  EXPECT_EQ(add(user).error(), std::make_error_code(std::errc::value_too_large));
  user.initial_password = Secret("long enough password");
  EXPECT_EQ(add(user).error(), Errc::user_already_exists);
  EXPECT_EQ(ids(), std::vector<std::string>{"root"});
  EXPECT_EQ(log_.count("operator.user_added"), 0U);
}

TEST_F(UserServiceTest, HTTP_6_1_lists_are_by_id_with_counts) {
  add_row("bob", store::Role::user, true);
  add_row("alice", store::Role::user);
  ASSERT_TRUE(add_grant(wanted(1, 2)));
  const auto issued = io_.run(people_->credentials.issue("root", "alice", std::nullopt)).value();
  ASSERT_TRUE(io_.run(people_->credentials.issue("root", "alice", std::nullopt)));
  ASSERT_TRUE(io_.run(people_->credentials.revoke("root", "alice", issued.row.credential_id)));
  const auto users = io_.run(people_->users.list()).value();
  ASSERT_EQ(users.size(), 3U);
  EXPECT_EQ(ids(), (std::vector<std::string>{"alice", "bob", "root"}));
  EXPECT_EQ(users[0].credentials, 2U);  // revoked ones count
  EXPECT_EQ(users[0].grants, 1U);
  EXPECT_TRUE(users[1].user.disabled);
}

TEST_F(UserServiceTest, HTTP_2_ids_in_paths) {
  EXPECT_EQ(io_.run(people_->users.get("Alice")).error(), Errc::invalid_user_id);
  EXPECT_EQ(io_.run(people_->users.get("alice")).error(), Errc::user_not_found);
  EXPECT_EQ(io_.run(people_->users.get("_superadmin")).error(), Errc::user_not_found);
  EXPECT_EQ(io_.run(people_->users.get("_No id!")).error(), Errc::invalid_user_id);
  EXPECT_EQ(remove("root", "Alice").error(), Errc::invalid_user_id);
  EXPECT_EQ(remove("root", "alice").error(), Errc::user_not_found);
}

TEST_F(UserServiceTest, HTTP_4_a_removal_takes_all_that_is_the_users) {
  add_row("alice", store::Role::user);
  add_row("bob", store::Role::user);
  const std::string first = add_grant(wanted(1, 2))->grant_id;
  const auto issued = io_.run(people_->credentials.issue("root", "alice", "x")).value();
  const std::uint64_t one = add_rule("alice", 80);
  const std::uint64_t bobs = add_rule("bob", 81);
  const std::uint64_t two = add_rule("alice", 82);
  add_caps("alice", {kEdge, "edge-01"});
  add_caps("alice", {std::nullopt, "edge-77"});
  add_caps("bob", {kEdge, "edge-01"});

  const auto removed = remove("root", "alice").value();
  EXPECT_EQ(removed.credential_ids, std::vector<std::string>{issued.row.credential_id});
  EXPECT_EQ(removed.grant_ids, std::vector<std::string>{first});
  EXPECT_EQ(removed.rule_ids, (std::vector<std::uint64_t>{one, two}));
  EXPECT_EQ(ids(), (std::vector<std::string>{"bob", "root"}));
  EXPECT_TRUE(rules_of("alice").empty());
  EXPECT_EQ(rules_of("bob"), std::vector<std::uint64_t>{bobs});
  EXPECT_EQ(caps(), 1U);
  EXPECT_TRUE(io_.run(people_->credentials.list("alice"))->empty());
  EXPECT_TRUE(io_.run(people_->grants.list("alice"))->empty());

  // The caps on the edge went with the last rule there, the others by themselves.
  EXPECT_EQ(listener_.ids(), removed.rule_ids);
  EXPECT_FALSE(listener_.rules[0].caps);
  EXPECT_TRUE(listener_.rules[1].caps);
  EXPECT_EQ(listener_.caps, std::vector<std::string>{"edge-77/alice"});
  EXPECT_EQ(log_.count("operator.user_removed",
                       {"\"removed_user\":\"alice\"", "\"revoked_credentials\":1",
                        "\"revoked_grants\":1", "\"removed_rules\":2"}),
            1U);
}

TEST_F(UserServiceTest, HTTP_4_nobody_removes_himself_or_the_last_superadmin) {
  EXPECT_EQ(remove("root", "root").error(), Errc::cannot_remove_self);
  EXPECT_EQ(remove("ghost", "root").error(), Errc::last_superadmin);
  add_row("off", store::Role::superadmin, true);
  EXPECT_EQ(remove("ghost", "root").error(), Errc::last_superadmin);  // who cannot act is none
  EXPECT_TRUE(remove("root", "off"));
  EXPECT_EQ(ids(), std::vector<std::string>{"root"});
  EXPECT_TRUE(listener_.rules.empty());
}

TEST_F(UserServiceTest, HTTP_4_two_superadmins_who_remove_each_other_leave_one) {
  for (int round = 0; round < 20; ++round) {
    add_row("twin", store::Role::superadmin);
    auto first = io_.start(people_->users.remove("twin", "root"));
    auto second = io_.start(people_->users.remove("root", "twin"));
    io_.run_until([&] { return first->has_value() && second->has_value(); });
    EXPECT_NE((*first)->has_value(), (*second)->has_value());
    const auto& refused = (*first)->has_value() ? **second : **first;
    EXPECT_EQ(refused.error(), Errc::last_superadmin);
    ASSERT_EQ(ids().size(), 1U);
    if (ids().front() == "twin") {
      add_row("root", store::Role::superadmin);
      ASSERT_TRUE(remove("root", "twin"));
    }
  }
}

TEST_F(UserServiceTest, a_store_that_fails_keeps_the_user_and_tells_nobody) {
  add_row("alice", store::Role::user);
  add_rule("alice", 80);
  store_->close();
  EXPECT_FALSE(remove("root", "alice"));
  EXPECT_TRUE(listener_.rules.empty());
  EXPECT_EQ(log_.count("operator.user_removed"), 0U);
}

}  // namespace
}  // namespace portunus::server::people
