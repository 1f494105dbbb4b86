#include "common/base/ulid.hpp"
#include "common/crypto/digest.hpp"
#include "tests/server/people/people_fixture.hpp"

// http-api 6.2.

namespace portunus::server::people {
namespace {

class CredentialServiceTest : public PeopleFixture {
 protected:
  CredentialServiceTest() {
    add_row("alice", store::Role::user);
    add_row("bob", store::Role::user);
  }
  IssuedCredential issue(const std::string& user, std::optional<std::string> label = {}) {
    return io_.run(people_->credentials.issue("root", user, std::move(label))).value();
  }
  Result<> revoke(const std::string& user, const std::string& id) {
    return io_.run(people_->credentials.revoke("root", user, id));
  }
  Result<IssuedCredential> rotate(const std::string& user, const std::string& id,
                                  std::optional<std::string> label = {}) {
    return io_.run(people_->credentials.rotate("root", user, id, std::move(label)));
  }
  std::vector<store::CredentialRow> list(const std::string& user) {
    return io_.run(people_->credentials.list(user)).value();
  }
};

TEST_F(CredentialServiceTest, HTTP_6_2_a_token_is_shown_once_and_stored_as_its_hash) {
  const auto issued = issue("alice", "laptop");
  EXPECT_EQ(issued.token.reveal().size(), 43U);
  EXPECT_TRUE(is_ulid(issued.row.credential_id));
  const auto rows = list("alice");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].token_hash, crypto::sha256_hex(issued.token.reveal()));
  EXPECT_EQ(rows[0].label, "laptop");
  EXPECT_EQ(rows[0].created_at, clock_.now());
  EXPECT_FALSE(rows[0].revoked_at);
  EXPECT_EQ(log_.count("operator.credential_issued",
                       {"\"actor\":\"root\"", "\"target\":\"alice\"", issued.row.credential_id}),
            1U);
  for (const std::string& line : log_.lines()) {
    EXPECT_FALSE(line.contains(issued.token.reveal())) << line;
  }
}

TEST_F(CredentialServiceTest, HTTP_6_2_unknown_users) {
  EXPECT_EQ(io_.run(people_->credentials.issue("root", "nobody", {})).error(),
            Errc::user_not_found);
  EXPECT_TRUE(list("nobody").empty());
  EXPECT_EQ(rotate("nobody", issue("alice").row.credential_id).error(), Errc::user_not_found);
  EXPECT_EQ(revoke("nobody", "x").error(), Errc::credential_not_found);
}

TEST_F(CredentialServiceTest, HTTP_6_2_revoking_again_changes_nothing) {
  const std::string id = issue("alice").row.credential_id;
  const SystemTime at = clock_.now();
  ASSERT_TRUE(revoke("alice", id));
  clock_.advance(std::chrono::seconds(5));
  ASSERT_TRUE(revoke("alice", id));
  EXPECT_EQ(list("alice")[0].revoked_at, at);
}

TEST_F(CredentialServiceTest, HTTP_6_2_anothers_credential_is_not_found) {
  const std::string id = issue("alice").row.credential_id;
  for (const std::string& wrong : {id, std::string("x"), std::string(26, '0')}) {
    EXPECT_EQ(revoke("bob", wrong).error(), Errc::credential_not_found) << wrong;
    EXPECT_EQ(rotate("bob", wrong).error(), Errc::credential_not_found) << wrong;
  }
  EXPECT_FALSE(list("alice")[0].revoked_at);
  EXPECT_TRUE(list("bob").empty());
}

TEST_F(CredentialServiceTest, HTTP_6_2_rotating_revokes_the_old_one_and_inherits_no_label) {
  const auto old = issue("alice", "laptop");
  clock_.advance(std::chrono::seconds(1));
  const auto fresh = rotate("alice", old.row.credential_id).value();
  EXPECT_NE(fresh.row.credential_id, old.row.credential_id);
  EXPECT_NE(fresh.token.reveal(), old.token.reveal());
  EXPECT_FALSE(fresh.row.label);
  const auto rows = list("alice");
  ASSERT_EQ(rows.size(), 2U);
  for (const auto& row : rows) {
    EXPECT_EQ(row.revoked_at.has_value(), row.credential_id == old.row.credential_id);
  }
  EXPECT_EQ(log_.count("operator.credential_rotated",
                       {"\"old_credential\":\"" + old.row.credential_id + "\"",
                        "\"new_credential\":\"" + fresh.row.credential_id + "\""}),
            1U);
}

}  // namespace
}  // namespace portunus::server::people
