#include "server/audit/audit_page.hpp"

#include "server/audit/errc.hpp"
#include "tests/server/audit/audit_fixture.hpp"

// Reading (http-api 12, store-and-quotas 5).

namespace portunus::server::audit {
namespace {

using namespace std::chrono_literals;

class AuditPageTest : public AuditFixture {
 protected:
  Result<Page> read(PageQuery query) { return io_.run(read_page(*store_, std::move(query))); }
  std::error_code refusal(PageQuery query) {
    const auto page = read(std::move(query));
    EXPECT_FALSE(page);
    return page ? std::error_code() : page.error().code;
  }
  static std::vector<std::string> paths_of(const Page& page) {
    std::vector<std::string> out;
    for (const store::AuditRow& row : page.entries) out.push_back(row.path);
    return out;
  }
  /// Every path from the first page to the last one.
  std::vector<std::string> walk(PageQuery query, std::size_t most_pages = 100) {
    std::vector<std::string> out;
    for (std::size_t pages = 0;; ++pages) {
      const auto page = read(query);
      EXPECT_TRUE(page);
      if (!page) return out;
      for (const std::string& path : paths_of(*page)) out.push_back(path);
      if (!page->next_cursor) return out;
      EXPECT_EQ(page->entries.size(), static_cast<std::size_t>(*query.limit));
      if (pages == most_pages) {
        ADD_FAILURE() << "it has no end";
        return out;
      }
      query.cursor = page->next_cursor;
    }
  }

  const SystemTime t_ = clock_.now();  // 2023-11-14T22:13:20Z
};

TEST_F(AuditPageTest, HTTP_12_newest_first_by_time_then_by_sequence) {
  insert({entry_at(t_, "a"), entry_at(t_ + 2s, "b"), entry_at(t_, "c"), entry_at(t_ + 1s, "d")});
  EXPECT_EQ(paths_of(*read({})), (std::vector<std::string>{"b", "d", "c", "a"}));
}

TEST_F(AuditPageTest, HTTP_12_the_limit_is_100_unless_given_and_1_to_1000) {
  insert(std::vector<store::AuditRow>(1001, entry_at(t_)));
  EXPECT_EQ(read({})->entries.size(), 100U);
  EXPECT_EQ(read({.limit = 1})->entries.size(), 1U);
  EXPECT_EQ(read({.limit = 1000})->entries.size(), 1000U);
  for (const std::int64_t limit : {0L, -1L, 1001L}) {
    EXPECT_EQ(refusal({.limit = limit}), Errc::invalid_limit) << limit;
  }
}

TEST_F(AuditPageTest, HTTP_12_the_outcome_selects) {
  auto denied = entry_at(t_, "denied");
  denied.outcome = store::AuditOutcome::deny;
  insert({entry_at(t_, "allowed"), denied});
  EXPECT_EQ(paths_of(*read({.outcome = "deny"})), (std::vector<std::string>{"denied"}));
  EXPECT_EQ(paths_of(*read({.outcome = "allow"})), (std::vector<std::string>{"allowed"}));
  for (const char* outcome : {"", "Allow", "both"}) {
    EXPECT_EQ(refusal({.outcome = outcome}), Errc::invalid_outcome) << outcome;
  }
}

TEST_F(AuditPageTest, HTTP_12_both_ends_of_the_time_belong_to_it) {
  insert({entry_at(t_ - 1us, "before"), entry_at(t_, "first"), entry_at(t_ + 5s, "last"),
          entry_at(t_ + 5s + 1us, "after")});
  const std::vector<std::string> wanted = {"last", "first"};
  EXPECT_EQ(paths_of(*read({.since = "2023-11-14T22:13:20Z", .until = "2023-11-14T22:13:25Z"})),
            wanted);
  EXPECT_EQ(paths_of(*read(
                {.since = "2023-11-15T00:13:20+02:00", .until = "2023-11-14T22:13:25.000000Z"})),
            wanted);
  EXPECT_EQ(paths_of(*read({.since = "2023-11-14T22:13:25.000001Z"})),
            (std::vector<std::string>{"after"}));
  EXPECT_EQ(paths_of(*read({.since = "2023-11-14T22:13:20Z", .until = "2023-11-14T22:13:20Z"})),
            (std::vector<std::string>{"first"}));
}

TEST_F(AuditPageTest, HTTP_12_errors_in_order) {
  const PageQuery faults[] = {
      {.limit = 0},
      {.outcome = "x"},
      {.since = "yesterday"},
      {.until = "2023-11-14"},
      {.since = "2023-11-14T00:00:01Z", .until = "2023-11-14T00:00:00Z"},
      {.cursor = "?"},
  };
  const Errc codes[] = {Errc::invalid_limit,     Errc::invalid_outcome,    Errc::invalid_timestamp,
                        Errc::invalid_timestamp, Errc::invalid_time_range, Errc::invalid_cursor};
  for (std::size_t i = 0; i < std::size(faults); ++i) {
    EXPECT_EQ(refusal(faults[i]), codes[i]) << i;
    for (std::size_t j = i + 1; j < std::size(faults); ++j) {
      PageQuery both = faults[j];
      if (faults[i].limit) both.limit = faults[i].limit;
      if (faults[i].outcome) both.outcome = faults[i].outcome;
      if (faults[i].since) both.since = faults[i].since;
      if (faults[i].until) both.until = faults[i].until;
      EXPECT_EQ(refusal(both), codes[i]) << i << " and " << j;
    }
  }
}

TEST_F(AuditPageTest, HTTP_12_a_cursor_comes_only_when_more_rows_match) {
  insert({entry_at(t_, "a"), entry_at(t_, "b"), entry_at(t_, "c")});
  EXPECT_EQ(read({.limit = 3})->next_cursor, std::nullopt);
  EXPECT_EQ(read({.limit = 2})->next_cursor, encode_cursor(2));
  EXPECT_EQ(read({.limit = 2, .until = "2000-01-01T00:00:00Z"})->next_cursor, std::nullopt);
  const auto rest = read({.limit = 2, .cursor = encode_cursor(2)});
  EXPECT_EQ(paths_of(*rest), (std::vector<std::string>{"a"}));
  EXPECT_EQ(rest->next_cursor, std::nullopt);
  EXPECT_TRUE(read({.cursor = encode_cursor(1)})->entries.empty());
}

TEST_F(AuditPageTest, HTTP_12_the_walk_yields_every_row_once_whatever_the_clock_did) {
  // The clock is set back twice, and stands still in between.
  const int seconds[] = {10, 11, 11, 11, 3, 4, 4, 12, 1, 1, 2, 20};
  std::vector<store::AuditRow> all;
  for (std::size_t i = 0; i < std::size(seconds); ++i) {
    all.push_back(entry_at(t_ + std::chrono::seconds(seconds[i]), std::to_string(i)));
    if (i % 3 == 0) all.back().outcome = store::AuditOutcome::deny;
  }
  insert(all);
  const std::vector<std::string> newest_first = {"11", "7", "3", "2",  "1", "0",
                                                 "6",  "5", "4", "10", "9", "8"};
  for (const std::int64_t limit : {1, 2, 3, 5, 11}) {
    EXPECT_EQ(walk({.limit = limit}), newest_first) << limit;
    EXPECT_EQ(walk({.limit = limit, .outcome = "deny"}),
              (std::vector<std::string>{"3", "0", "6", "9"}))
        << limit;
    EXPECT_EQ(
        walk({.limit = limit, .since = "2023-11-14T22:13:23Z", .until = "2023-11-14T22:13:31Z"}),
        (std::vector<std::string>{"3", "2", "1", "0", "6", "5", "4"}))
        << limit;
  }
}

TEST_F(AuditPageTest, SQ_5_entries_written_meanwhile_shift_no_page) {
  for (int i = 0; i < 6; ++i) insert({entry_at(t_ + std::chrono::seconds(i), std::to_string(i))});
  const auto first = read({.limit = 2, .since = "2000-01-01T00:00:00Z"});
  EXPECT_EQ(paths_of(*first), (std::vector<std::string>{"5", "4"}));
  for (int i = 6; i < 10; ++i) insert({entry_at(t_ + std::chrono::seconds(i), std::to_string(i))});
  const auto second = read({.limit = 2, .cursor = first->next_cursor});
  EXPECT_EQ(paths_of(*second), (std::vector<std::string>{"3", "2"}));
}

TEST_F(AuditPageTest, SQ_5_a_cursor_whose_row_is_gone_goes_on_with_smaller_sequences) {
  insert({entry_at(t_, "a"), entry_at(t_, "b"), entry_at(t_, "c")});
  script("DELETE FROM audit WHERE sequence = 2");
  EXPECT_EQ(paths_of(*read({.cursor = encode_cursor(2)})), (std::vector<std::string>{"a"}));
  EXPECT_EQ(paths_of(*read({.cursor = encode_cursor(99)})), (std::vector<std::string>{"c", "a"}));
}

TEST_F(AuditPageTest, SQ_5_no_sequence_is_given_twice) {
  insert({entry_at(t_, "a"), entry_at(t_, "b")});
  script("DELETE FROM audit");
  insert({entry_at(t_, "c")});
  EXPECT_EQ(rows().front().sequence, 3);
}

TEST(AuditCursor, HTTP_12_is_base64url_of_the_decimal_sequence) {
  EXPECT_EQ(encode_cursor(123), "MTIz");
  EXPECT_EQ(encode_cursor(7), "Nw");
  for (const std::int64_t sequence : {std::int64_t{0}, std::int64_t{123}, INT64_MAX}) {
    EXPECT_EQ(decode_cursor(encode_cursor(sequence)).value(), sequence);
  }
}

TEST(AuditCursor, HTTP_12_refuses_what_it_cannot_have_made) {
  // "", padding, another alphabet, no number, signs, zeros in front, too large a number.
  for (const char* text : {"", "Nw==", "MT/z", "M", "YWJj", "LTE", "KzE", "MDE", "IDE",
                           "OTIyMzM3MjAzNjg1NDc3NTgwOA"}) {
    const auto decoded = decode_cursor(text);
    ASSERT_FALSE(decoded) << text;
    EXPECT_EQ(decoded.error(), Errc::invalid_cursor) << text;
  }
}

}  // namespace
}  // namespace portunus::server::audit
