#include "server/quotas/quota_book.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace portunus::server::quotas {
namespace {

const std::string kOne = "01J00000000000000000000001";
const std::string kTwo = "01J00000000000000000000002";

store::QuotaRow row(std::string user, store::ClientRef client, std::int64_t limit) {
  store::QuotaRow out;
  out.user_id = std::move(user);
  out.client = std::move(client);
  out.monthly_bytes = limit;
  return out;
}

std::vector<std::int64_t> limits(const std::vector<store::QuotaRow>& rows) {
  std::vector<std::int64_t> out;
  for (const auto& each : rows) out.push_back(each.monthly_bytes);
  return out;
}
using Limits = std::vector<std::int64_t>;

TEST(QuotaBook, keeps_bare_names_and_clients_apart) {
  QuotaBook book;
  book.put(row("alice", {std::nullopt, "edge-01"}, 1), {});
  book.put(row("alice", {kOne, "edge-01"}, 2), {});
  book.put(row("bob", {kOne, "edge-01"}, 3), {});
  book.put(row("alice", {kTwo, "edge-00"}, 4), {});
  EXPECT_EQ(limits(book.of_client({kOne, "edge-01"})), (Limits{2, 3}));
  EXPECT_EQ(limits(book.of_client({std::nullopt, "edge-01"})), Limits{1});
  EXPECT_EQ(limits(book.of_client({std::nullopt, "edge-02"})), Limits{});
  // By client name, the enrolled client before the bare name.
  EXPECT_EQ(limits(book.of_user("alice")), (Limits{4, 2, 1}));
  EXPECT_EQ(limits(book.of_user("carol")), Limits{});
}

TEST(QuotaBook, SQ_3_follows_enrolling_renaming_and_deleting) {
  QuotaBook book;
  book.put(row("alice", {std::nullopt, "edge-01"}, 1), {.exhausted = true});
  book.put(row("bob", {std::nullopt, "edge-01"}, 2), {});
  book.put(row("bob", {std::nullopt, "edge-010"}, 3), {});
  book.bind("edge-01", kOne);
  EXPECT_EQ(limits(book.of_client({kOne, "edge-01"})), (Limits{1, 2}));
  EXPECT_EQ(limits(book.of_client({std::nullopt, "edge-01"})), Limits{});
  ASSERT_NE(book.find(kOne, "alice"), nullptr);
  EXPECT_EQ(book.find(kOne, "alice")->exhaustions, 1U);
  EXPECT_EQ(book.find(kOne, "alice")->client, (store::ClientRef{kOne, "edge-01"}));

  book.rename(kOne, "edge-09");
  EXPECT_EQ(book.find(kOne, "bob")->client.client_name, "edge-09");
  book.unbind(kOne);
  EXPECT_EQ(limits(book.of_client({std::nullopt, "edge-09"})), (Limits{1, 2}));
  EXPECT_EQ(book.find(kOne, "alice"), nullptr);
  book.unbind(kTwo);  // it has none
  EXPECT_EQ(book.entries().rows().size(), 3U);
}

TEST(QuotaBook, a_deleted_clients_quota_takes_the_place_of_a_bare_one) {
  QuotaBook book;
  book.put(row("alice", {std::nullopt, "edge-01"}, 1), {});
  book.put(row("alice", {kOne, "edge-01"}, 2), {});
  book.unbind(kOne);
  EXPECT_EQ(limits(book.of_user("alice")), Limits{2});
}

TEST(QuotaBook, counts_what_its_changes_brought_about) {
  QuotaBook book;
  const store::QuotaRow quota = row("alice", {kOne, "edge-01"}, 1);
  book.put(quota, {});
  book.put(quota, {.rolled = true});
  book.put(quota, {.rolled = true, .exhausted = true});
  EXPECT_EQ(book.find(kOne, "alice")->period_resets, 2U);
  EXPECT_EQ(book.find(kOne, "alice")->exhaustions, 1U);
  book.erase(quota.client, "alice");
  book.put(quota, {});
  EXPECT_EQ(book.find(kOne, "alice")->period_resets, 0U);
}

}  // namespace
}  // namespace portunus::server::quotas
