#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/store/client_store.hpp"
#include "server/store/connection.hpp"
#include "server/store/store.hpp"
#include "server/store/traffic_sample_store.hpp"
#include "server/traffic/bucket.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::server::traffic {

inline const std::string kEdge = "01J00000000000000000000001";
inline const std::string kOther = "01J00000000000000000000002";
/// 2026-03-29T00:00:00Z: the night in which clocks with daylight saving skip an hour.
inline constexpr std::int64_t kNight = 1'774'742'400;
inline constexpr std::int64_t kMinute = 60;

/// A real store with two enrolled edges and a clock that stands still.
class TrafficFixture : public testing::Test {
 protected:
  TrafficFixture() {
    open();
    write([&](store::Connection& c) -> Result<> {
      if (const auto one = add_client(c, kEdge, "edge-01", 'a'); !one) return one;
      return add_client(c, kOther, "edge-02", 'b');
    });
  }

  void open() { store_ = store::Store::open({.path = dir_ / "state.db", .readers = 1}).value(); }
  Result<> add_client(store::Connection& c, std::string id, std::string name, char hash) {
    return store::insert_client(c, {.client_id = std::move(id),
                                    .name = std::move(name),
                                    .token_hash = std::string(64, hash),
                                    .provisioned_at = clock_.now(),
                                    .revoked_at = std::nullopt,
                                    .address = std::nullopt});
  }
  template <class F>
  void write(F change) {
    const Result<> done = store_->write_now(std::move(change));
    ASSERT_TRUE(done) << done.error().text();
  }
  void script(std::string_view sql) {
    write([&](store::Connection& c) {
      return store::guarded([&]() -> Result<> {
        c.run_script(sql);
        return {};
      });
    });
  }
  /// As a report that arrives at `when` does it.
  void book(std::int64_t when, std::uint64_t in, std::uint64_t out,
            const std::string& user = "alice", const std::string& client_id = kEdge) {
    const store::ClientRef client{client_id, client_id == kEdge ? "edge-01" : "edge-02"};
    write([&](store::Connection& c) {
      return store::add_minute_sample(c, client, user, when - when % kMinute, in, out);
    });
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
  /// What a table holds, as (user, client name, start) to (in, out).
  using Rows = std::map<std::tuple<std::string, std::string, std::int64_t>,
                        std::pair<std::int64_t, std::int64_t>>;
  Rows rows(const std::string& table) {
    return store_
        ->read_now([&](store::Connection& c) {
          return store::guarded([&]() -> Result<Rows> {
            Rows out;
            store::Query query(c, "SELECT user_id, client_name, start, bytes_in, bytes_out FROM " +
                                      table + " JOIN traffic_series USING (series_id)");
            while (query.step()) {
              out[{query.text(0), query.text(1), query.integer(2)}] = {query.integer(3),
                                                                       query.integer(4)};
            }
            return out;
          });
        })
        .value();
  }
  void set_clock(std::int64_t unix_seconds) {
    clock_.step_wall(from_unix_micros(unix_seconds * 1'000'000) - clock_.now());
  }

  test::TempDir dir_;
  ManualClock clock_{kNight};
  test::TestIo io_;
  test::LogCapture log_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace portunus::server::traffic
