#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/clock.hpp"
#include "server/store/audit_store.hpp"
#include "server/store/connection.hpp"
#include "server/store/store.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::server::audit {

/// A real store that tests of the audit log write to, break and look into.
class AuditFixture : public testing::Test {
 protected:
  AuditFixture() {
    store_ = store::Store::open(
                 {.path = path(), .readers = 1, .busy_timeout = std::chrono::milliseconds(1)})
                 .value();
  }

  std::filesystem::path path() const { return dir_ / "state.db"; }
  static store::AuditRow entry(std::string path) {
    store::AuditRow row;
    row.actor = "alice";
    row.role = "user";
    row.method = "POST";
    row.path = std::move(path);
    return row;
  }
  store::AuditRow entry_at(SystemTime at, std::string path = "/v1/rules") const {
    store::AuditRow row = entry(std::move(path));
    row.at = at;
    return row;
  }
  /// Writes the rows as they are, past the log.
  void insert(const std::vector<store::AuditRow>& rows) {
    ASSERT_TRUE(
        store_->write_now([&](store::Connection& c) { return store::insert_audit(c, rows); }));
  }
  /// Newest first.
  std::vector<store::AuditRow> rows() {
    return store_
        ->read_now([](store::Connection& c) { return store::list_audit(c, {}, {}, 100'000); })
        .value();
  }
  std::vector<std::string> paths() {
    std::vector<std::string> out;
    for (store::AuditRow& row : rows()) out.push_back(std::move(row.path));
    return out;
  }
  std::int64_t number(std::string_view sql) {
    return store_
        ->read_now([&](store::Connection& c) {
          return store::guarded([&]() -> Result<std::int64_t> {
            store::Query query(c, sql);
            return query.step() ? query.integer(0) : -1;
          });
        })
        .value();
  }
  std::int64_t count() { return number("SELECT count(*) FROM audit"); }
  void script(const std::string& sql) {
    EXPECT_TRUE(store_->write_now([&](store::Connection& c) {
      return store::guarded([&]() -> Result<> {
        c.run_script(sql);
        return {};
      });
    }));
  }
  void refuse(const char* change) {
    script(std::string("CREATE TRIGGER refused BEFORE ") + change +
           " ON audit BEGIN SELECT raise(ABORT, 'no'); END");
  }
  void refuse_no_more() { script("DROP TRIGGER refused"); }

  test::TempDir dir_;
  ManualClock clock_;
  test::TestIo io_;
  test::LogCapture lines_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace portunus::server::audit
