#include "server/store/audit_store.hpp"
#include "server/store/store.hpp"
#include "tests/server/cli/cli_fixture.hpp"

// audit prune (cli-and-config 2.2, store-and-quotas 4).

namespace portunus::server::cli {
namespace {

using namespace std::chrono_literals;

class AuditCommandTest : public CliTest {
 protected:
  /// Entries at these instants, and whatever the store held.
  void fill(const std::vector<SystemTime>& times) {
    std::vector<store::AuditRow> rows;
    for (const SystemTime time : times) {
      store::AuditRow row;
      row.at = time;
      row.actor = "alice";
      row.method = "POST";
      row.path = "/v1/rules";
      rows.push_back(row);
    }
    auto store = store::Store::open({.path = dir_ / "state.db", .readers = 1});
    ASSERT_TRUE(store);
    ASSERT_TRUE(
        (*store)->write_now([&](store::Connection& c) { return store::insert_audit(c, rows); }));
  }
  std::vector<SystemTime> left() {
    auto store = store::Store::open({.path = dir_ / "state.db", .readers = 1}).value();
    std::vector<SystemTime> out;
    for (const store::AuditRow& row :
         store->read_now([](store::Connection& c) { return store::list_audit(c, {}, {}, 100); })
             .value()) {
      out.push_back(row.at);
    }
    return out;
  }

  const SystemTime t_ = clock_.now();  // 2023-11-14T22:13:20Z
};

TEST_F(AuditCommandTest, CLI_2_2_RemovesWhatIsBeforeTheInstant) {
  fill({t_ - 1s, t_ - 1us, t_, t_ + 1s});
  expect(run_in_dir({"audit", "prune", "--before", "2023-11-14T22:13:20Z"}), 0,
         "audit_prune deleted=2\n", "");
  EXPECT_EQ(left(), (std::vector<SystemTime>{t_ + 1s, t_}));
  expect(run_in_dir({"audit", "prune", "--before=2023-11-14T22:13:20Z"}), 0,
         "audit_prune deleted=0\n", "");
}

TEST_F(AuditCommandTest, CLI_1_GlobalFlagsWorkBetweenTheTwoWordsToo) {
  fill({t_ - 1s});
  const std::string here = dir_.string();
  const std::string other = (dir_ / "other").string();
  const std::vector<std::string> last{"prune", "--before", "2023-11-14T22:13:20Z", "--dry-run"};
  for (std::vector<std::string> words : std::vector<std::vector<std::string>>{
           {"audit", "--data-dir", here},
           {"audit", "--data-dir=" + here},
           {"--data-dir", other, "audit", "--data-dir", here},
           {"--data-dir", here, "audit", "--advertised-endpoint="}}) {
    words.insert(words.end(), last.begin(), last.end());
    expect(run(words), 0, "audit_prune dry_run=true would_delete=1\n", "");
  }
  std::vector<std::string> words{"audit", "--data-dir", other};
  words.insert(words.end(), last.begin(), last.end());
  words.insert(words.end(), {"--data-dir", here});
  expect(run(words), 0, "audit_prune dry_run=true would_delete=1\n", "");
  EXPECT_FALSE(std::filesystem::exists(other));
}

TEST_F(AuditCommandTest, CLI_2_2_ADryRunOnlyCounts) {
  fill({t_ - 1s, t_});
  expect(run_in_dir({"audit", "prune", "--dry-run", "--before", "2023-11-15T00:13:20+02:00"}), 0,
         "audit_prune dry_run=true would_delete=1\n", "");
  EXPECT_EQ(left().size(), 2U);
}

TEST_F(AuditCommandTest, CLI_2_2_ABadInstantIsRefusedBeforeTheStoreIsOpened) {
  const auto held = store::StoreLock::acquire(dir_);
  ASSERT_TRUE(held);
  for (const char* before : {"", "yesterday", "2023-11-14", "2023-11-14T22:13:20", "1700000000"}) {
    const Ran ran = run_in_dir({"audit", "prune", "--before", before});
    EXPECT_EQ(ran.exit, 3) << before;
    EXPECT_EQ(ran.out, "");
    EXPECT_TRUE(ran.err.starts_with("error: --before must be RFC3339: ")) << ran.err;
  }
  EXPECT_FALSE(std::filesystem::exists(dir_ / "state.db"));
}

TEST_F(AuditCommandTest, CLI_2_1_NeedsTheStoreForItself) {
  variables_["PORTUNUS_OPERATOR_TOKEN"] = "tok";
  const auto held = store::StoreLock::acquire(dir_);
  ASSERT_TRUE(held);
  for (const auto& more : {std::vector<std::string>{}, {"--dry-run"}}) {
    std::vector<std::string> line = {"audit", "prune", "--before", "2023-11-14T22:13:20Z"};
    line.insert(line.end(), more.begin(), more.end());
    expect(run_in_dir(line), 75, "", "error: store_in_use: " + (dir_ / "state.db").string() + "\n");
  }
}

TEST_F(AuditCommandTest, TheHelpNamesTheCommand) {
  const Ran group = run({"audit", "--help"});
  EXPECT_EQ(group.exit, 0);
  EXPECT_NE(group.out.find("prune"), std::string::npos) << group.out;
  const Ran leaf = run({"audit", "prune", "--help"});
  EXPECT_EQ(leaf.exit, 0);
  EXPECT_NE(leaf.out.find("--before"), std::string::npos) << leaf.out;
  EXPECT_NE(leaf.out.find("Example"), std::string::npos) << leaf.out;
}

}  // namespace
}  // namespace portunus::server::cli
