#include "server/audit/entries.hpp"

#include <gtest/gtest.h>

namespace portunus::server::audit {
namespace {

TEST(AuditEntries, HTTP_12_an_event_row_repeats_its_action_as_the_path) {
  const store::AuditRow row = event_entry("admin", "superadmin", "operator.password_reset",
                                          {"user", "alice"}, R"({"sessions_revoked":1})");
  EXPECT_EQ(row.actor, "admin");
  EXPECT_EQ(row.role, "superadmin");
  EXPECT_EQ(row.method, "");
  EXPECT_EQ(row.path, "operator.password_reset");
  EXPECT_EQ(row.action, "operator.password_reset");
  EXPECT_EQ(row.outcome, store::AuditOutcome::allow);
  EXPECT_EQ(row.resource_kind, "user");
  EXPECT_EQ(row.resource_value, "alice");
  EXPECT_EQ(row.details, R"({"sessions_revoked":1})");
  EXPECT_EQ(row.reason, std::nullopt);
}

TEST(AuditEntries, strangers_cannot_make_an_entry_large) {
  EXPECT_EQ(cut("/v1/rules", 1024), "/v1/rules");
  EXPECT_EQ(cut(std::string(5000, 'a'), 1024), std::string(1024, 'a'));
  EXPECT_EQ(cut("ab\xC3\xA4z", 3), "ab");
  EXPECT_EQ(cut("ab\xC3\xA4z", 4), "ab\xC3\xA4");
  EXPECT_EQ(cut("\xFF\xFF\xFF", 2), "\xFF\xFF");
}

}  // namespace
}  // namespace portunus::server::audit
