#include "server/rules/rule_book.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace portunus::server::rules {
namespace {

using Ids = std::vector<RuleId>;

class RuleBookTest : public ::testing::Test {
 protected:
  void add(std::uint64_t id, std::optional<std::string> client_id, std::string name,
           std::optional<std::string> sni = std::nullopt) {
    store::RuleRow row;
    row.spec.id = RuleId{id};
    row.spec.listen_port = 443;
    row.spec.sni_pattern = std::move(sni);
    row.client_id = std::move(client_id);
    row.client_name = std::move(name);
    row.state = store::RuleState::active;
    book_.add(std::move(row));
  }
  const store::RuleRow& row(std::uint64_t id) const { return book_.find(RuleId{id})->row; }
  Ids seen_by_each_of(std::string_view client_id) const {
    Ids out;
    book_.each_of(client_id, [&](const auto& entry) { out.push_back(entry.row.spec.id); });
    return out;
  }

  RuleBook book_;
};

TEST_F(RuleBookTest, rules_stand_apart_by_client_and_ascend) {
  add(3, "c1", "edge-01");
  add(1, "c1", "edge-01");
  add(2, "c2", "edge-02");
  EXPECT_EQ(book_.of_client("c1"), (Ids{{1}, {3}}));
  EXPECT_EQ(seen_by_each_of("c1"), (Ids{{1}, {3}}));
  EXPECT_EQ(book_.of_client("c2"), (Ids{{2}}));
  EXPECT_TRUE(book_.of_client("c3").empty());
  EXPECT_EQ(book_.entries().size(), 3U);
}

TEST_F(RuleBookTest, what_is_erased_is_gone_from_its_client_and_told_once) {
  Ids told;
  book_.on_erase([&](RuleId id) { told.push_back(id); });
  add(1, "c1", "edge-01");
  add(2, "c1", "edge-01");
  book_.erase(RuleId{1});
  book_.erase(RuleId{1});
  EXPECT_EQ(told, (Ids{{1}}));
  EXPECT_EQ(book_.of_client("c1"), (Ids{{2}}));
  book_.erase(RuleId{2});
  EXPECT_TRUE(book_.start_replay("c1").empty());
}

TEST_F(RuleBookTest, HTTP_2_rules_of_a_bare_name_follow_its_client) {
  add(1, std::nullopt, "edge-01");
  add(2, "c2", "edge-02");
  book_.bind("edge-01", "c1");
  EXPECT_EQ(book_.of_client("c1"), (Ids{{1}}));
  EXPECT_EQ(row(1).client_id, "c1");

  book_.rename("c1", "edge-09");
  EXPECT_EQ(row(1).client_name, "edge-09");
  EXPECT_EQ(row(2).client_name, "edge-02");

  book_.unbind("c1");
  EXPECT_EQ(row(1).client_id, std::nullopt);
  EXPECT_EQ(row(1).client_name, "edge-09");
  EXPECT_TRUE(book_.of_client("c1").empty());
  book_.bind("edge-01", "c3");  // that name has no rules any more
  EXPECT_TRUE(book_.of_client("c3").empty());
  book_.bind("edge-09", "c3");
  EXPECT_EQ(book_.of_client("c3"), (Ids{{1}}));
  book_.erase(RuleId{1});
  EXPECT_TRUE(book_.of_client("c3").empty());
}

TEST_F(RuleBookTest, HTTP_2_a_client_takes_up_the_rules_of_its_name_beside_its_own) {
  add(5, "c1", "edge-01");
  add(4, std::nullopt, "edge-01");
  book_.bind("edge-01", "c1");
  EXPECT_EQ(book_.of_client("c1"), (Ids{{4}, {5}}));
}

TEST_F(RuleBookTest, a_replay_and_the_sni_ports_are_of_one_client) {
  add(1, "c1", "edge-01");
  add(2, "c1", "edge-01", "a.example.com");
  add(3, "c2", "edge-02");
  EXPECT_TRUE(book_.has_sni_port("c1", 443));
  EXPECT_FALSE(book_.has_sni_port("c1", 444));
  EXPECT_FALSE(book_.has_sni_port("c2", 443));
  const auto replay = book_.start_replay("c1");
  ASSERT_EQ(replay.size(), 2U);
  EXPECT_EQ(replay[0]->row.spec.id, RuleId{2});  // its pattern comes before the plain one
  EXPECT_EQ(row(1).state, store::RuleState::pending);
  EXPECT_EQ(row(3).state, store::RuleState::active);
}

}  // namespace
}  // namespace portunus::server::rules
