#include "server/traffic/traffic_history.hpp"

#include <limits>
#include <map>
#include <random>

#include "server/traffic/errc.hpp"
#include "tests/server/traffic/traffic_fixture.hpp"

// Queries over the history (http-api 10, store-and-quotas 7).

namespace portunus::server::traffic {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

class TrafficHistoryTest : public TrafficFixture {
 protected:
  TrafficHistoryTest() : history_(*store_, clock_) {}

  Result<History> ask(HistoryRequest request) {
    return io_.run(history_.query(std::move(request)));
  }
  Result<History> ask(std::int64_t from, std::int64_t to,
                      std::optional<std::string> bucket = std::nullopt) {
    return ask({.user_id = std::nullopt,
                .client = std::nullopt,
                .from = from,
                .to = to,
                .bucket = std::move(bucket)});
  }
  Result<History> ask_of(std::optional<std::string> user, std::optional<std::string> client) {
    return ask({.user_id = std::move(user),
                .client = std::move(client),
                .from = kNight,
                .to = kNight + kDay,
                .bucket = std::nullopt});
  }
  void add_hour(std::int64_t start, std::int64_t in, std::int64_t out, int series = 1) {
    script("INSERT INTO traffic_samples_1h VALUES (" + std::to_string(series) + ", " +
           std::to_string(start) + ", " + std::to_string(in) + ", " + std::to_string(out) + ")");
  }
  /// `count` minutes of series 1 from `start` on.
  void add_minutes(std::int64_t start, int count) {
    script("WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < " +
           std::to_string(count) + ") INSERT INTO traffic_samples_1m SELECT 1, " +
           std::to_string(start) + " + i * 60, 1, 2 FROM n");
  }

  TrafficHistory history_;
};

TEST_F(TrafficHistoryTest, HTTP_10_samples_are_summed_over_what_is_not_filtered) {
  book(kNight, 1, 10, "alice", kEdge);
  book(kNight, 2, 20, "alice", kOther);
  book(kNight, 4, 40, "bob", kEdge);
  book(kNight + 2 * kMinute, 8, 80, "bob", kOther);
  set_clock(kNight + kHour);
  const auto all = ask_of(std::nullopt, std::nullopt).value();
  EXPECT_EQ(all.bucket, Bucket::minute);
  EXPECT_EQ(all.samples, (std::vector<Sample>{{kNight, 7, 70}, {kNight + 2 * kMinute, 8, 80}}));
  EXPECT_EQ(all.total_bytes_in, 15);
  EXPECT_EQ(all.total_bytes_out, 150);

  EXPECT_EQ(ask_of("alice", std::nullopt)->samples, (std::vector<Sample>{{kNight, 3, 30}}));
  EXPECT_EQ(ask_of(std::nullopt, "edge-01")->samples, (std::vector<Sample>{{kNight, 5, 50}}));
  EXPECT_EQ(ask_of("alice", kOther)->samples, (std::vector<Sample>{{kNight, 2, 20}}));
  EXPECT_TRUE(ask_of("carol", std::nullopt)->samples.empty());
  EXPECT_EQ(ask_of("carol", std::nullopt)->total_bytes_in, 0);
  EXPECT_TRUE(ask_of(std::nullopt, "edge-77")->samples.empty());
}

TEST_F(TrafficHistoryTest, HTTP_2_a_client_is_a_name_or_an_id) {
  EXPECT_EQ(ask_of("alice", "Edge").error(), Errc::invalid_client_name);
  EXPECT_EQ(ask_of("alice", "").error(), Errc::invalid_client_name);
  EXPECT_EQ(ask_of("alice", "01J00000000000000000000009").error(), Errc::client_not_found);
}

TEST_F(TrafficHistoryTest, SQ_3_history_follows_its_client) {
  book(kNight, 1, 1);
  write([](store::Connection& c) -> Result<> {
    const auto renamed = store::rename_client(c, kEdge, "edge-09");
    return renamed ? Result<>{} : fail(renamed.error());
  });
  EXPECT_TRUE(ask_of(std::nullopt, "edge-01")->samples.empty());
  EXPECT_EQ(ask_of(std::nullopt, "edge-09")->samples.size(), 1U);
  write([](store::Connection& c) -> Result<> {
    const auto removed = store::remove_client(c, kEdge);
    return removed ? Result<>{} : fail(removed.error());
  });
  EXPECT_EQ(ask_of(std::nullopt, "edge-09")->samples.size(), 1U);
  EXPECT_EQ(ask_of(std::nullopt, kEdge).error(), Errc::client_not_found);
}

TEST_F(TrafficHistoryTest, SQ_3_a_bare_name_stays_apart_from_a_client_renamed_to_it) {
  write([](store::Connection& c) {
    return store::add_minute_sample(c, {std::nullopt, "edge-09"}, "alice", kNight, 1, 0);
  });
  book(kNight, 10, 0);
  EXPECT_EQ(ask_of(std::nullopt, "edge-09")->total_bytes_in, 1);
  write([](store::Connection& c) -> Result<> {
    const auto renamed = store::rename_client(c, kEdge, "edge-09");
    return renamed ? Result<>{} : fail(renamed.error());
  });
  EXPECT_EQ(ask_of(std::nullopt, "edge-09")->total_bytes_in, 10);
  EXPECT_EQ(ask_of("alice", std::nullopt)->total_bytes_in, 11);
}

TEST_F(TrafficHistoryTest, HTTP_10_from_is_inclusive_and_to_exclusive) {
  for (int minute = 0; minute < 4; ++minute) book(kNight + minute * kMinute, 1, 0);
  set_clock(kNight + kHour);
  EXPECT_EQ(ask(kNight + kMinute, kNight + 3 * kMinute)->samples,
            (std::vector<Sample>{{kNight + kMinute, 1, 0}, {kNight + 2 * kMinute, 1, 0}}));
  EXPECT_EQ(ask(kNight + 1, kNight + 61)->samples.size(), 1U);
}

TEST_F(TrafficHistoryTest, HTTP_10_the_bucket_follows_the_length_of_time) {
  EXPECT_EQ(ask(kNight, kNight + 86'400)->bucket, Bucket::minute);
  EXPECT_EQ(ask(kNight, kNight + 86'401)->bucket, Bucket::hour);
  EXPECT_EQ(ask(kNight, kNight + 86'401, "1m")->bucket, Bucket::minute);
  EXPECT_EQ(ask(kNight, kNight + 60, "1h")->bucket, Bucket::hour);
  book(kNight, 5, 5);
  add_hour(kNight, 70, 700);
  EXPECT_EQ(ask(kNight, kNight + 60, "1h")->samples, (std::vector<Sample>{{kNight, 70, 700}}));
}

TEST_F(TrafficHistoryTest, HTTP_10_refusals_in_their_order) {
  const auto of_nobody = [&](std::int64_t from, std::int64_t to, std::string bucket) {
    return ask({.user_id = std::nullopt,
                .client = "No Name",
                .from = from,
                .to = to,
                .bucket = std::move(bucket)});
  };
  EXPECT_EQ(of_nobody(-1, -2, "2m").error(), Errc::invalid_client_name);
  for (const auto& [from, to] : {std::pair<std::int64_t, std::int64_t>{-1, 5},
                                 {5, 5},
                                 {6, 5},
                                 {std::numeric_limits<std::int64_t>::min(), kMost},
                                 {kMost, std::numeric_limits<std::int64_t>::min()}}) {
    EXPECT_EQ(ask(from, to, "2m").error(), Errc::invalid_time_range) << from << " " << to;
  }
  for (const char* bucket : {"2m", "", "1M", "1m ", "hour"}) {
    EXPECT_EQ(ask(0, 5, bucket).error(), Errc::invalid_bucket) << bucket;
  }
  EXPECT_EQ(ask(0, 5).error(), Errc::quota_bucket_out_of_retention);
  EXPECT_TRUE(ask(kNight, kMost, "1m"));
}

TEST_F(TrafficHistoryTest, SQ_8_6_exactly_at_the_retention_limit) {
  EXPECT_TRUE(ask(kNight - 604'800, kNight - 604'700));
  EXPECT_EQ(ask(kNight - 604'801, kNight - 604'700).error(), Errc::quota_bucket_out_of_retention);
  EXPECT_TRUE(ask(kNight - 7'776'000, kNight));
  EXPECT_EQ(ask(kNight - 7'776'001, kNight).error(), Errc::quota_bucket_out_of_retention);
}

TEST_F(TrafficHistoryTest, HTTP_10_ten_thousand_samples_and_not_one_more) {
  book(kNight, 0, 0);
  script("DELETE FROM traffic_samples_1m");
  add_minutes(kNight - 7 * kDay, 10'000);
  const auto most = ask(kNight - 7 * kDay, kNight, "1m").value();
  EXPECT_EQ(most.samples.size(), 10'000U);
  EXPECT_EQ(most.total_bytes_in, 10'000);
  EXPECT_EQ(most.total_bytes_out, 20'000);
  add_minutes(kNight - 7 * kDay + 10'000 * kMinute, 1);
  EXPECT_EQ(ask(kNight - 7 * kDay, kNight, "1m").error(), Errc::traffic_too_many_rows);
  EXPECT_EQ(ask(kNight - 7 * kDay + kMinute, kNight, "1m")->samples.size(), 10'000U);
}

TEST_F(TrafficHistoryTest, HTTP_10_the_bound_counts_samples_and_not_the_rows_they_sum) {
  for (int user = 0; user < 100; ++user) {
    for (int minute = 0; minute < 150; ++minute) {
      if (minute % 50 == 0) book(kNight + minute * kMinute, 1, 1, "user" + std::to_string(user));
    }
  }
  script(
      "INSERT OR IGNORE INTO traffic_samples_1m SELECT s.series_id, m.start + i * 60, 1, 1 "
      "FROM traffic_series s, (SELECT DISTINCT start FROM traffic_samples_1m) m, "
      "(WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49) "
      "SELECT i FROM n)");
  EXPECT_EQ(number("SELECT count(*) FROM traffic_samples_1m"), 15'000);
  set_clock(kNight + kDay);
  const auto all = ask_of(std::nullopt, std::nullopt).value();
  EXPECT_EQ(all.samples.size(), 150U);
  EXPECT_EQ(all.total_bytes_in, 15'000);
  EXPECT_EQ(all.samples.front(), (Sample{kNight, 100, 100}));
}

TEST_F(TrafficHistoryTest, HTTP_10_any_filter_agrees_with_an_independent_sum) {
  std::mt19937_64 random(7);
  using Key = std::tuple<std::string, std::string, std::int64_t>;
  std::map<Key, std::pair<std::int64_t, std::int64_t>> booked;
  for (int i = 0; i < 500; ++i) {
    const std::string user = "user" + std::to_string(random() % 40);
    const std::string client = random() % 2 == 0 ? kEdge : kOther;
    const auto start = kNight + static_cast<std::int64_t>(random() % 300) * kMinute;
    const auto in = static_cast<std::int64_t>(random() % 1000);
    const auto out = static_cast<std::int64_t>(random() % 1000);
    book(start, static_cast<std::uint64_t>(in), static_cast<std::uint64_t>(out), user, client);
    auto& sum = booked[{user, client, start}];
    sum.first += in;
    sum.second += out;
  }
  set_clock(kNight + 6 * kHour);
  for (const std::optional<std::string>& user :
       {std::optional<std::string>(), std::optional<std::string>("user7")}) {
    for (const std::optional<std::string>& client :
         {std::optional<std::string>(), std::optional<std::string>(kOther)}) {
      std::map<std::int64_t, Sample> expected;
      for (const auto& [key, bytes] : booked) {
        if (user && std::get<0>(key) != *user) continue;
        if (client && std::get<1>(key) != *client) continue;
        Sample& sample = expected[std::get<2>(key)];
        sample.start = std::get<2>(key);
        sample.bytes_in += bytes.first;
        sample.bytes_out += bytes.second;
      }
      std::vector<Sample> samples;
      for (const auto& [start, sample] : expected) samples.push_back(sample);
      EXPECT_EQ(ask_of(user, client)->samples, samples);
    }
  }
}

TEST_F(TrafficHistoryTest, sums_stay_at_the_greatest_number) {
  book(kNight, static_cast<std::uint64_t>(kMost), 1);
  book(kNight, static_cast<std::uint64_t>(kMost), 1, "bob");
  book(kNight + kMinute, 1, 1);
  set_clock(kNight + kHour);
  const auto all = ask_of(std::nullopt, std::nullopt).value();
  EXPECT_EQ(all.samples.front(), (Sample{kNight, kMost, 2}));
  EXPECT_EQ(all.total_bytes_in, kMost);
  EXPECT_EQ(all.total_bytes_out, 3);
}

TEST_F(TrafficHistoryTest, a_closed_store_is_an_error) {
  store_->close();
  EXPECT_EQ(ask(kNight, kNight + 60).error(), store::Errc::closed);
}

}  // namespace
}  // namespace portunus::server::traffic
