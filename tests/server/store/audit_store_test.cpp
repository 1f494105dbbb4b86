#include "server/store/audit_store.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "server/store/connection.hpp"
#include "server/store/store.hpp"
#include "tests/support/temp_dir.hpp"

namespace portunus::server::store {
namespace {

using namespace std::chrono_literals;

constexpr SystemTime kNow{std::chrono::seconds(1'700'000'000)};

class AuditStoreTest : public testing::Test {
 protected:
  AuditStoreTest() : store_(Store::open({.path = dir_ / "state.db", .readers = 1}).value()) {}

  static AuditRow at(SystemTime time) {
    AuditRow row;
    row.at = time;
    row.actor = "alice";
    row.method = "POST";
    row.path = "/v1/rules";
    return row;
  }
  void insert(const std::vector<AuditRow>& rows) {
    ASSERT_TRUE(store_->write_now([&](Connection& c) { return insert_audit(c, rows); }));
  }
  std::vector<AuditRow> list() {
    return store_->read_now([](Connection& c) { return list_audit(c, {}, {}, 100); }).value();
  }
  std::int64_t count_before(SystemTime before) {
    return store_->read_now([&](Connection& c) { return count_audit_before(c, before); }).value();
  }
  std::int64_t remove_before(SystemTime before, std::int64_t limit) {
    return store_->write_now([&](Connection& c) { return remove_audit_before(c, before, limit); })
        .value();
  }
  std::int64_t remove_beyond(std::int64_t kept, std::int64_t limit) {
    return store_->write_now([&](Connection& c) { return remove_audit_beyond(c, kept, limit); })
        .value();
  }

  test::TempDir dir_;
  std::unique_ptr<Store> store_;
};

TEST_F(AuditStoreTest, SQ_3_an_entry_comes_back_as_it_went_in) {
  AuditRow full = at(kNow + 1us);
  full.role = "superadmin";
  full.outcome = AuditOutcome::deny;
  full.reason = "not_owner";
  full.action = "operator.password_reset";
  full.resource_kind = "user";
  full.resource_value = "alice";
  full.details = R"({"sessions_revoked":1})";
  AuditRow bare = at(kNow);
  insert({full, bare});
  full.sequence = 1;
  bare.sequence = 2;
  EXPECT_EQ(list(), (std::vector<AuditRow>{full, bare}));
}

TEST_F(AuditStoreTest, one_bad_row_leaves_none_of_its_batch) {
  ASSERT_TRUE(store_->write_now([](Connection& c) {
    return guarded([&]() -> Result<> {
      c.run_script(
          "CREATE TRIGGER bad BEFORE INSERT ON audit WHEN new.actor = 'bad' "
          "BEGIN SELECT raise(ABORT, 'no'); END");
      return {};
    });
  }));
  std::vector<AuditRow> rows = {at(kNow), at(kNow)};
  rows[1].actor = "bad";
  const auto done = store_->write_now([&](Connection& c) { return insert_audit(c, rows); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), Errc::constraint);
  EXPECT_TRUE(list().empty());
}

TEST_F(AuditStoreTest, SQ_4_before_is_exclusive_and_the_oldest_go_first) {
  insert({at(kNow), at(kNow - 2s), at(kNow - 1s)});
  EXPECT_EQ(count_before(kNow), 2);
  EXPECT_EQ(count_before(kNow - 2s), 0);
  EXPECT_EQ(remove_before(kNow, 1), 1);
  EXPECT_EQ(list().back().at, kNow - 1s);
  EXPECT_EQ(remove_before(kNow, std::numeric_limits<std::int64_t>::max()), 1);
  EXPECT_EQ(remove_before(kNow, std::numeric_limits<std::int64_t>::max()), 0);
  EXPECT_EQ(list().size(), 1U);
}

TEST_F(AuditStoreTest, SQ_5_beyond_a_number_the_oldest_go_first) {
  insert({at(kNow), at(kNow - 1s), at(kNow), at(kNow + 1s)});
  EXPECT_EQ(remove_beyond(4, 100), 0);
  EXPECT_EQ(remove_beyond(5, 100), 0);
  EXPECT_EQ(remove_beyond(1, 2), 2);
  const auto left = list();
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(left[0].sequence, 4);
  EXPECT_EQ(left[1].sequence, 3);
  EXPECT_EQ(remove_beyond(1, 100), 1);
}

TEST_F(AuditStoreTest, a_page_reads_no_more_than_it_needs) {
  const auto plan = store_->read_now([](Connection& c) {
    return guarded([&]() -> Result<std::string> {
      std::string out;
      Query query(c,
                  "EXPLAIN QUERY PLAN SELECT path FROM audit WHERE at >= 0 AND at <= 9 "
                  "ORDER BY at DESC, sequence DESC LIMIT 5");
      while (query.step()) out += query.text(3) + ";";
      return out;
    });
  });
  ASSERT_TRUE(plan);
  EXPECT_NE(plan->find("audit_by_time"), std::string::npos) << *plan;
  EXPECT_EQ(plan->find("TEMP B-TREE"), std::string::npos) << *plan;
}

}  // namespace
}  // namespace portunus::server::store
