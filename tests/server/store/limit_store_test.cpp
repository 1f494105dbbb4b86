#include <gtest/gtest.h>

#include "server/store/client_store.hpp"
#include "server/store/connection.hpp"
#include "server/store/errc.hpp"
#include "server/store/migrator.hpp"
#include "server/store/owner_limit_store.hpp"
#include "server/store/quota_store.hpp"
#include "server/store/traffic_sample_store.hpp"
#include "tests/support/temp_dir.hpp"

// Owner limits, quotas and samples (store-and-quotas 3).

namespace portunus::server::store {
namespace {

const std::string kOne = "01J00000000000000000000001";
const std::string kTwo = "01J00000000000000000000002";

class LimitStoreTest : public testing::Test {
 protected:
  LimitStoreTest()
      : c(dir_ / "state.db", Connection::Access::write, std::chrono::milliseconds(100)) {
    c.configure();
    EXPECT_TRUE(migrate(c, 0, embedded_migrations(), SystemTime{}));
  }
  Result<> add_client(const std::string& id, std::string name, char hash) {
    return insert_client(c, {.client_id = id,
                             .name = std::move(name),
                             .token_hash = std::string(64, hash),
                             .provisioned_at = {},
                             .revoked_at = std::nullopt,
                             .address = std::nullopt});
  }
  static OwnerLimitRow limit(ClientRef client, std::uint32_t concurrent) {
    OwnerLimitRow row;
    row.client = std::move(client);
    row.owner_id = "alice";
    row.limit.concurrent_connections = concurrent;
    return row;
  }
  static QuotaRow quota(ClientRef client, std::int64_t bytes) {
    QuotaRow row;
    row.user_id = "alice";
    row.client = std::move(client);
    row.monthly_bytes = bytes;
    row.billing_anchor = 7;
    row.period_started_at = 8;
    row.created_at = 9;
    row.updated_at = 10;
    return row;
  }
  std::int64_t number(std::string_view sql) {
    Query query(c, sql);
    return query.step() ? query.integer(0) : -1;
  }
  static ClientRef bare(std::string name) { return {std::nullopt, std::move(name)}; }

  test::TempDir dir_;
  Connection c;
};

TEST_F(LimitStoreTest, quota_round_trip) {
  ASSERT_TRUE(add_client(kOne, "edge-01", 'a'));
  QuotaRow row = quota({kOne, "edge-01"}, 100);
  row.id = insert_quota(c, row).value();
  EXPECT_EQ(find_quota(c, row.client, "alice").value(), row);
  EXPECT_EQ(insert_quota(c, row).error(), Errc::constraint);
  row.monthly_bytes = 1;
  row.period_started_at = 2;
  row.bytes_used = 3;
  row.exhausted_at = 4;
  row.updated_at = 5;
  ASSERT_TRUE(update_quota(c, row));
  EXPECT_EQ(find_quota(c, row.client, "alice").value(), row);
  EXPECT_EQ(list_quotas(c).value(), std::vector{row});
  EXPECT_FALSE(find_quota(c, bare("edge-01"), "alice").value());
  EXPECT_FALSE(remove_quota(c, bare("edge-01"), "alice").value());
  EXPECT_TRUE(remove_quota(c, row.client, "alice").value());
  EXPECT_FALSE(remove_quota(c, row.client, "alice").value());
}

TEST_F(LimitStoreTest, SQ_3_caps_and_usage_are_never_negative) {
  QuotaRow row = quota(bare("edge-01"), -1);
  EXPECT_EQ(insert_quota(c, row).error(), Errc::constraint);
  row.monthly_bytes = 0;
  row.bytes_used = -1;
  EXPECT_EQ(insert_quota(c, row).error(), Errc::constraint);
  row.bytes_used = std::numeric_limits<std::int64_t>::max();
  EXPECT_TRUE(insert_quota(c, row));
  EXPECT_EQ(put_owner_limit(c, limit(bare("edge-01"), 0)).error(), Errc::constraint);
  EXPECT_EQ(put_owner_limit(c, limit({kOne, "edge-01"}, 1)).error(), Errc::constraint);
}

TEST_F(LimitStoreTest, a_bare_name_and_a_client_of_that_name_are_two_keys) {
  ASSERT_TRUE(add_client(kOne, "edge-01", 'a'));
  ASSERT_TRUE(put_owner_limit(c, limit({kOne, "edge-01"}, 1)));
  ASSERT_TRUE(put_owner_limit(c, limit(bare("edge-02"), 2)));
  ASSERT_TRUE(put_owner_limit(c, limit(bare("edge-03"), 3)));
  ASSERT_TRUE(put_owner_limit(c, limit(bare("edge-03"), 4)));
  ASSERT_TRUE(rename_client(c, kOne, "edge-02").value());
  EXPECT_EQ(list_owner_limits(c)->size(), 3U);
  EXPECT_EQ(find_owner_limit(c, {kOne, "edge-02"}, "alice").value()->limit, limit({}, 1).limit);
  EXPECT_EQ(find_owner_limit(c, bare("edge-02"), "alice").value()->limit, limit({}, 2).limit);
  EXPECT_EQ(find_owner_limit(c, bare("edge-03"), "alice").value()->limit, limit({}, 4).limit);
}

TEST_F(LimitStoreTest, SQ_3_records_bind_on_enrolling_and_return_on_deleting) {
  ASSERT_TRUE(put_owner_limit(c, limit(bare("edge-01"), 1)));
  ASSERT_TRUE(insert_quota(c, quota(bare("edge-01"), 100)));
  ASSERT_TRUE(add_minute_sample(c, bare("edge-01"), "alice", 60, 5, 6));
  ASSERT_TRUE(put_owner_limit(c, limit(bare("edge-011"), 9)));  // another's
  ASSERT_TRUE(add_client(kOne, "edge-01", 'a'));
  const ClientRef one{kOne, "edge-01"};
  EXPECT_TRUE(find_owner_limit(c, one, "alice").value());
  EXPECT_TRUE(find_quota(c, one, "alice").value());
  ASSERT_TRUE(add_minute_sample(c, one, "alice", 60, 5, 6));
  EXPECT_EQ(number("SELECT count(*) FROM traffic_series"), 1);
  EXPECT_EQ(number("SELECT bytes_out FROM traffic_samples_1m"), 12);

  ASSERT_TRUE(rename_client(c, kOne, "edge-09").value());
  EXPECT_EQ(find_quota(c, one, "alice").value()->client.client_name, "edge-09");
  EXPECT_EQ(number("SELECT count(*) FROM traffic_series WHERE client_name = 'edge-09'"), 1);

  ASSERT_TRUE(remove_client(c, kOne).value());
  EXPECT_TRUE(find_owner_limit(c, bare("edge-09"), "alice").value());
  EXPECT_TRUE(find_quota(c, bare("edge-09"), "alice").value());
  EXPECT_EQ(number("SELECT count(*) FROM traffic_series WHERE client_id IS NULL"), 1);
  EXPECT_EQ(number("SELECT count(*) FROM traffic_samples_1m"), 1);
  EXPECT_TRUE(find_owner_limit(c, bare("edge-011"), "alice").value());
}

TEST_F(LimitStoreTest, a_client_deleted_over_a_bare_name_leaves_one_record_of_each) {
  ASSERT_TRUE(add_client(kOne, "edge-01", 'a'));
  const ClientRef one{kOne, "edge-01"};
  for (const ClientRef& client : {one, bare("edge-02")}) {
    const bool of_client = client.client_id.has_value();
    ASSERT_TRUE(put_owner_limit(c, limit(client, of_client ? 1 : 2)));
    ASSERT_TRUE(insert_quota(c, quota(client, of_client ? 100 : 200)));
    ASSERT_TRUE(add_minute_sample(c, client, "alice", 60, 1, 10));
    ASSERT_TRUE(add_minute_sample(c, client, "alice", of_client ? 120 : 180, 1, 10));
  }
  ASSERT_TRUE(put_owner_limit(c, limit(bare("edge-03"), 3)));
  c.run_script("INSERT INTO traffic_samples_1h SELECT series_id, 3600, 7, 70 FROM traffic_series");
  ASSERT_TRUE(rename_client(c, kOne, "edge-02").value());
  ASSERT_TRUE(remove_client(c, kOne).value());

  EXPECT_EQ(find_owner_limit(c, bare("edge-02"), "alice").value()->limit, limit({}, 1).limit);
  EXPECT_EQ(find_quota(c, bare("edge-02"), "alice").value()->monthly_bytes, 100);
  EXPECT_EQ(list_quotas(c)->size(), 1U);
  EXPECT_EQ(list_owner_limits(c)->size(), 2U);
  // History is added up.
  EXPECT_EQ(number("SELECT count(*) FROM traffic_series"), 1);
  EXPECT_EQ(number("SELECT count(*) FROM traffic_samples_1m"), 3);
  EXPECT_EQ(number("SELECT bytes_out FROM traffic_samples_1m WHERE start = 60"), 20);
  EXPECT_EQ(number("SELECT bytes_out FROM traffic_samples_1m WHERE start = 180"), 10);
  EXPECT_EQ(number("SELECT bytes_in FROM traffic_samples_1h WHERE start = 3600"), 14);
}

TEST_F(LimitStoreTest, a_sample_starts_with_its_minute) {
  EXPECT_EQ(add_minute_sample(c, bare("edge-01"), "alice", 61, 1, 1).error(), Errc::constraint);
  EXPECT_TRUE(add_minute_sample(c, bare("edge-01"), "alice", -60, 1, 1));
}

TEST_F(LimitStoreTest, SQ_7_the_history_is_found_under_its_names) {
  for (const char* table : {"traffic_samples_1m", "traffic_samples_1h", "traffic_rollup_mark"}) {
    EXPECT_GE(number("SELECT count(*) FROM " + std::string(table)), 0) << table;
  }
  EXPECT_EQ(number("SELECT last_hour FROM traffic_rollup_mark"), 0);
}

TEST_F(LimitStoreTest, every_look_up_uses_an_index) {
  const auto plan = [&](const std::string& sql) {
    std::string out;
    Query query(c, "EXPLAIN QUERY PLAN " + sql);
    while (query.step()) out += query.text(3) + "\n";
    return out;
  };
  const std::string where =
      " WHERE client_id IS ?1 AND user_id = ?3 AND (?1 IS NOT NULL OR client_name = ?2)";
  for (const char* table : {"traffic_quotas", "traffic_series"}) {
    const std::string text = plan("SELECT * FROM " + std::string(table) + where);
    EXPECT_TRUE(text.contains("USING INDEX") && !text.contains("SCAN")) << text;
  }
}

}  // namespace
}  // namespace portunus::server::store
