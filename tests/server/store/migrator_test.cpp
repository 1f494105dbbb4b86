#include "server/store/migrator.hpp"

#include <gtest/gtest.h>

#include "server/store/rule_store.hpp"
#include "server/store/store.hpp"
#include "tests/support/files.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/temp_dir.hpp"

namespace portunus::server::store {
namespace {

using test::LogCapture;
using test::TempDir;

constexpr SystemTime kNow{std::chrono::seconds(1'700'000'000)};

class MigratorTest : public testing::Test {
 protected:
  MigratorTest() : connection_(path(), Connection::Access::write, std::chrono::milliseconds(100)) {
    connection_.configure();
  }
  std::filesystem::path path() const { return dir_ / "state.db"; }
  std::int64_t count(std::string_view sql) {
    Query query(connection_, sql);
    query.step();
    return query.integer(0);
  }

  TempDir dir_;
  Connection connection_;
};

TEST_F(MigratorTest, applies_in_order_and_records_each_step) {
  const Migration steps[] = {{1, "one", "CREATE TABLE a (x)"}, {2, "two", "CREATE TABLE b (x)"}};
  EXPECT_EQ(read_schema_version(connection_).value(), 0);
  ASSERT_TRUE(migrate(connection_, 0, std::span(steps, 1), kNow));
  EXPECT_EQ(read_schema_version(connection_).value(), 1);
  ASSERT_TRUE(migrate(connection_, 1, steps, kNow));
  EXPECT_EQ(read_schema_version(connection_).value(), 2);
  Query row(connection_,
            "SELECT name, applied_on, checksum FROM schema_migrations ORDER BY version");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.text(0), "one");
  EXPECT_EQ(row.text(1), "2023-11-14T22:13:20Z");
  EXPECT_EQ(row.text(2).size(), 64U);
}

TEST_F(MigratorTest, a_failing_step_leaves_the_version_before_it) {
  const Migration steps[] = {{1, "one", "CREATE TABLE a (x)"},
                             {2, "two", "CREATE TABLE b (x); CREATE TABLE a (x)"}};
  const auto done = migrate(connection_, 0, steps, kNow);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), Errc::migration_failed);
  EXPECT_TRUE(done.error().detail.starts_with("migration 2 (two): ")) << done.error().detail;
  EXPECT_EQ(read_schema_version(connection_).value(), 1);
  EXPECT_EQ(count("SELECT count(*) FROM sqlite_schema WHERE name = 'b'"), 0);
}

TEST_F(MigratorTest, a_step_applied_with_other_content_is_refused) {
  const Migration first[] = {{1, "one", "CREATE TABLE a (x)"}};
  const Migration other[] = {{1, "one", "CREATE TABLE a (x, y)"}, {2, "two", "CREATE TABLE b (x)"}};
  ASSERT_TRUE(migrate(connection_, 0, first, kNow));
  EXPECT_EQ(migrate(connection_, 1, other, kNow).error(), Errc::migration_failed);
  EXPECT_EQ(read_schema_version(connection_).value(), 1);
}

TEST_F(MigratorTest, rules_of_the_first_release_keep_their_target_and_their_ids) {
  ASSERT_TRUE(migrate(connection_, 0, embedded_migrations().first(1), kNow));
  connection_.run_script(
      "INSERT INTO users VALUES ('alice', 'Alice', 'superadmin', 0, 0);"
      "INSERT INTO rules VALUES (3, NULL, 'edge-01', 'alice', 'tcp', 65535, '[::1]', 8443, 1, "
      "'failed', 'port_in_use', 10, 20);"
      "INSERT INTO rules VALUES (9, NULL, 'edge-01', 'alice', 'udp', 53, 'gone', 53, NULL, "
      "'active', NULL, 10, 20);"
      "DELETE FROM rules WHERE rule_id = 9");
  ASSERT_TRUE(migrate(connection_, 1, embedded_migrations(), kNow));
  RuleRow row = list_rules(connection_).value().at(0);
  EXPECT_EQ(row.state, RuleState::failed);
  EXPECT_EQ(row.failure_reason, "port_in_use");
  EXPECT_EQ(row.spec, (model::RuleSpec{.id = RuleId{3},
                                       .listen_port = 65'535,
                                       .targets = {{"[::1]", 8443}},
                                       .prefer_ipv6 = true,
                                       .owner_id = "alice"}));
  EXPECT_EQ(insert_rule(connection_, row).value(), RuleId{10});
  ASSERT_TRUE(remove_rule(connection_, RuleId{3}).value());
  EXPECT_EQ(count("SELECT count(*) FROM rule_targets"), 1);
}

TEST(StoreOpening, a_creation_cut_short_starts_over) {
  const TempDir dir;
  const auto path = dir / "state.db";
  // Died between setting the journal mode, which writes the header, and the first migration.
  Connection(path, Connection::Access::write, std::chrono::milliseconds(100)).configure();
  ASSERT_GT(std::filesystem::file_size(path), 0U);
  EXPECT_TRUE(Store::open({.path = path}));
}

TEST(StoreOpening, an_up_to_date_store_is_not_written) {
  const TempDir dir;
  ASSERT_TRUE(Store::open({.path = dir / "state.db"}));
  const std::string before = test::read_file(dir / "state.db");
  ASSERT_TRUE(Store::open({.path = dir / "state.db"}));
  EXPECT_EQ(test::read_file(dir / "state.db"), before);
}

TEST(StoreOpening, a_newer_schema_is_refused_untouched) {
  const TempDir dir;
  const auto path = dir / "state.db";
  ASSERT_TRUE(Store::open({.path = path}));
  {
    Connection edit(path, Connection::Access::write, std::chrono::milliseconds(100));
    edit.run_script("INSERT INTO schema_migrations VALUES (99, 'later', 'now', 'x')");
  }
  const std::string before = test::read_file(path);
  const LogCapture log;
  const auto opened = Store::open({.path = path});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error(), Errc::schema_too_new);
  EXPECT_EQ(opened.error().text(), "schema_version_too_new: on_disk=99 binary_supports=" +
                                       std::to_string(Store::supported_schema_version()));
  EXPECT_EQ(log.count("startup.schema_version_too_new", {"\"on_disk\":99"}), 1U);
  EXPECT_EQ(test::read_file(path), before);
}

TEST(StoreOpening, a_foreign_file_is_refused_untouched) {
  for (const std::string& content : {std::string("not a database"), std::string(8192, 'x')}) {
    const TempDir dir;
    const auto path = dir / "state.db";
    test::write_file(path, content);
    const LogCapture log;
    const auto opened = Store::open({.path = path});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error(), Errc::not_a_database) << opened.error().text();
    EXPECT_EQ(log.count("startup.store_corrupt", {"restore"}), 1U);
    EXPECT_EQ(test::read_file(path), content);
  }
}

TEST(StoreOpening, another_programs_database_is_refused_untouched) {
  for (const char* script : {"CREATE TABLE t (x)", "PRAGMA application_id = 77"}) {
    const TempDir dir;
    const auto path = dir / "state.db";
    Connection(path, Connection::Access::write, std::chrono::milliseconds(100)).run_script(script);
    const std::string before = test::read_file(path);
    EXPECT_EQ(Store::open({.path = path}).error(), Errc::not_a_database);
    EXPECT_EQ(test::read_file(path), before);
  }
}

TEST(StoreOpening, an_empty_file_becomes_a_store) {
  const TempDir dir;
  test::write_file(dir / "state.db", "");
  EXPECT_TRUE(Store::open({.path = dir / "state.db"}));
}

TEST(StoreOpening, a_missing_directory_is_an_io_error) {
  const TempDir dir;
  EXPECT_EQ(Store::open({.path = dir / "none" / "state.db"}).error(), Errc::io);
}

}  // namespace
}  // namespace portunus::server::store
