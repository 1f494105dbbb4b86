#include "server/owner_caps/owner_cap_service.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "server/owner_caps/errc.hpp"
#include "server/store/client_store.hpp"
#include "server/store/connection.hpp"
#include "server/store/rule_store.hpp"
#include "server/store/user_store.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::server::owner_caps {
namespace {

const std::string kEdge = "01J00000000000000000000001";
const std::string kOther = "01J00000000000000000000002";

class FakeSink final : public OwnerCapSink {
 public:
  struct Told {
    std::string client_id;
    std::string owner_id;
    std::optional<model::RateLimit> caps;
  };

  std::optional<std::string_view> client_version(std::string_view client_id) const override {
    const auto it = versions.find(client_id);
    if (it == versions.end()) return std::nullopt;
    return it->second;
  }
  OwnerCapSink::Told owner_caps_changed(std::string_view client_id,
                                        std::string_view owner_id) override {
    if (!versions.contains(client_id)) return OwnerCapSink::Told::absent;
    if (refuses) return OwnerCapSink::Told::refused;
    const model::RateLimit* caps = service->caps(client_id, owner_id);
    told.push_back({std::string(client_id), std::string(owner_id),
                    caps == nullptr ? std::nullopt : std::optional(*caps)});
    return OwnerCapSink::Told::queued;
  }

  OwnerCapService* service = nullptr;
  std::map<std::string, std::string, std::less<>> versions;
  bool refuses = false;
  std::vector<Told> told;
};

class OwnerCapServiceTest : public testing::Test {
 protected:
  OwnerCapServiceTest() {
    store_ = store::Store::open({.path = dir_ / "state.db", .readers = 1}).value();
    EXPECT_TRUE(store_->write_now([&](store::Connection& c) -> Result<> {
      for (const char* id : {"alice", "bob"}) {
        const auto user = store::insert_user(c, {.user_id = id,
                                                 .display_name = id,
                                                 .role = store::Role::superadmin,
                                                 .disabled = false,
                                                 .created_at = clock_.now()});
        if (!user) return user;
      }
      if (const auto one = add_client(c, kEdge, "edge-01", 'a'); !one) return one;
      return add_client(c, kOther, "edge-02", 'b');
    }));
    start_service();
    sink_.versions[kEdge] = "1.8.0";
  }
  Result<> add_client(store::Connection& c, std::string id, std::string name, char hash) {
    return store::insert_client(c, {.client_id = std::move(id),
                                    .name = std::move(name),
                                    .token_hash = std::string(64, hash),
                                    .provisioned_at = clock_.now(),
                                    .revoked_at = std::nullopt,
                                    .address = std::nullopt});
  }
  void start_service() {
    service_ = std::make_unique<OwnerCapService>(*store_, clock_);
    service_->set_sink(&sink_);
    sink_.service = service_.get();
    service_->hydrate();
  }
  RuleId add_rule(const std::string& owner, std::uint16_t port) {
    store::RuleRow row;
    row.spec.listen_port = port;
    row.spec.targets = {{"10.0.0.5", 80}};
    row.spec.owner_id = owner;
    row.client_id = kEdge;
    row.client_name = "edge-01";
    return store_->write_now([&](store::Connection& c) { return store::insert_rule(c, row); })
        .value();
  }
  static model::RateLimit caps(std::uint64_t bandwidth) {
    model::RateLimit out;
    out.bandwidth_in_bps = bandwidth;
    return out;
  }
  Result<store::OwnerLimitRow> put(model::RateLimit limit, const std::string& owner = "alice",
                                   const std::string& client = "edge-01", bool reserved = false) {
    return io_.run(service_->put(client, owner, {limit, reserved}));
  }
  Result<store::OwnerLimitRow> get(const std::string& owner = "alice",
                                   const std::string& client = "edge-01") {
    return io_.run(service_->get(client, owner));
  }
  void script(std::string_view sql) {
    EXPECT_TRUE(store_->write_now([&](store::Connection& c) {
      return store::guarded([&]() -> Result<> {
        c.run_script(sql);
        return {};
      });
    }));
  }

  test::TempDir dir_;
  ManualClock clock_;
  test::TestIo io_;
  FakeSink sink_;
  test::LogCapture log_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<OwnerCapService> service_;
};

TEST_F(OwnerCapServiceTest, HTTP_7_3_put_replaces_what_was_there_and_tells_the_edge) {
  model::RateLimit first = caps(1000);
  first.concurrent_connections = 5;
  const auto row = put(first).value();
  EXPECT_EQ(row.client, (store::ClientRef{kEdge, "edge-01"}));
  EXPECT_EQ(row.limit, first);
  EXPECT_EQ(row.updated_at, clock_.now());
  ASSERT_EQ(sink_.told.size(), 1U);
  EXPECT_EQ(sink_.told[0].caps, first);
  EXPECT_EQ(log_.count("owner_cap.upserted", {"\"client_name\":\"edge-01\",\"owner_id\":\"alice\","
                                              "\"updated_at_unix_ms\":1700000000000}"}),
            1U);
  clock_.advance(std::chrono::seconds(1));
  ASSERT_TRUE(put(caps(7), "alice", kEdge));
  EXPECT_EQ(get()->limit, caps(7));
  EXPECT_EQ(get()->updated_at, clock_.now());
  EXPECT_EQ(sink_.told.back().caps, caps(7));
}

TEST_F(OwnerCapServiceTest, HTTP_7_3_refusals_of_put_in_their_order) {
  model::RateLimit zero;
  zero.new_connections_per_sec = 0;
  zero.bandwidth_in_burst = 5;
  EXPECT_EQ(put(zero, "Bad Owner", "Bad Name", true).error(), Errc::client_name_invalid);
  EXPECT_EQ(put(zero, "Bad Owner", "01J00000000000000000000009", true).error(),
            Errc::client_not_found);
  EXPECT_EQ(put(zero, "Bad Owner", "edge-02", true).error(), Errc::invalid_user_id);
  EXPECT_EQ(put(zero, "alice", "edge-02", true).error(), Errc::burst_unsupported);
  EXPECT_EQ(put(zero, "alice", "edge-02").error(), Errc::unsupported_by_client);  // offline
  EXPECT_EQ(put(zero, "alice", "edge-99").error(), Errc::unsupported_by_client);  // unknown
  EXPECT_EQ(put(zero).error(), Errc::cap_zero);
  zero.new_connections_per_sec.reset();
  EXPECT_EQ(put(zero).error(), Errc::burst_without_rate);
  zero.bandwidth_in_bps = 1000;
  EXPECT_EQ(put(zero).error(), Errc::burst_range);
  zero.bandwidth_in_burst = 10;
  EXPECT_TRUE(put(zero));
}

TEST_F(OwnerCapServiceTest, CW_9_the_gate_wants_a_known_version_from_0_11_on) {
  for (const char* version : {"", "0.10.9", "nonsense"}) {
    sink_.versions[kEdge] = version;
    EXPECT_EQ(put(caps(1)).error(), Errc::unsupported_by_client) << version;
  }
  sink_.versions[kEdge] = "0.11.0";
  EXPECT_TRUE(put(caps(1)));
}

TEST_F(OwnerCapServiceTest, HTTP_7_3_an_owner_need_not_exist) {
  EXPECT_TRUE(put(caps(1), "somebody"));
  EXPECT_TRUE(put(caps(1), "_legacy"));
}

TEST_F(OwnerCapServiceTest, HTTP_7_3_delete_succeeds_either_way_and_tells_the_edge) {
  ASSERT_TRUE(put(caps(1)));
  EXPECT_TRUE(io_.run(service_->remove("edge-01", "alice")));
  EXPECT_FALSE(sink_.told.back().caps);
  EXPECT_EQ(sink_.told.size(), 2U);
  EXPECT_EQ(get().error(), Errc::owner_rate_limit_not_found);
  EXPECT_EQ(
      log_.count("owner_cap.deleted", {"\"client_name\":\"edge-01\",\"owner_id\":\"alice\"}"}), 1U);
  EXPECT_TRUE(io_.run(service_->remove("edge-01", "alice")));
  EXPECT_EQ(sink_.told.size(), 3U);  // harmless, and it mends an edge that missed the first
  EXPECT_EQ(log_.count("owner_cap.deleted"), 1U);
  EXPECT_TRUE(io_.run(service_->remove("edge-99", "alice")));
  EXPECT_EQ(io_.run(service_->remove("Bad", "alice")).error(), Errc::client_name_invalid);
}

TEST_F(OwnerCapServiceTest, HTTP_7_3_owners_are_everyone_with_a_rule_or_caps) {
  ASSERT_TRUE(put(caps(1), "zoe"));
  ASSERT_TRUE(put(caps(1), "alice"));
  add_rule("alice", 1001);
  add_rule("alice", 1002);
  add_rule("bob", 1003);
  const auto owners = io_.run(service_->owners("edge-01")).value();
  ASSERT_EQ(owners.size(), 3U);
  EXPECT_EQ(owners[0].owner_id, "alice");
  EXPECT_TRUE(owners[0].has_limit);
  EXPECT_EQ(owners[0].rules, 2U);
  EXPECT_EQ(owners[1].owner_id, "bob");
  EXPECT_FALSE(owners[1].has_limit);
  EXPECT_EQ(owners[1].rules, 1U);
  EXPECT_EQ(owners[2].owner_id, "zoe");
  EXPECT_EQ(owners[2].rules, 0U);
  EXPECT_TRUE(io_.run(service_->owners("edge-02"))->empty());
  EXPECT_TRUE(io_.run(service_->owners("edge-99"))->empty());
  EXPECT_EQ(io_.run(service_->owners("Bad")).error(), Errc::client_name_invalid);
  EXPECT_EQ(io_.run(service_->owners("01J00000000000000000000009")).error(),
            Errc::client_not_found);
}

TEST_F(OwnerCapServiceTest, SQ_3_caps_go_with_the_owners_last_rule) {
  ASSERT_TRUE(put(caps(1)));
  const RuleId one = add_rule("alice", 1001);
  const RuleId two = add_rule("alice", 1002);
  add_rule("bob", 1003);
  const store::ClientRef edge{kEdge, "edge-01"};
  const auto remove = [&](RuleId id) {
    return store_
        ->write_now([&](store::Connection& c) -> Result<bool> {
          if (const auto gone = store::remove_rule(c, id); !gone) return gone;
          return store::collect_owner_limit(c, edge, "alice");
        })
        .value();
  };
  EXPECT_FALSE(remove(one));
  EXPECT_TRUE(remove(two));
  service_->on_collected(edge, "alice");
  EXPECT_EQ(get().error(), Errc::owner_rate_limit_not_found);
  EXPECT_FALSE(sink_.told.back().caps);
  EXPECT_EQ(
      log_.count("owner_cap.gc_swept", {"\"client_name\":\"edge-01\",\"owner_id\":\"alice\"}"}),
      1U);
  start_service();
  EXPECT_EQ(get().error(), Errc::owner_rate_limit_not_found);
}

TEST_F(OwnerCapServiceTest, OBS_2_stored_caps_are_there_after_a_restart) {
  model::RateLimit all;
  all.bandwidth_in_bps = 18'000'000'000'000'000'000U;  // beyond 63 bits
  all.bandwidth_out_bps = 2;
  all.new_connections_per_sec = 4'294'967'295U;
  all.concurrent_connections = 4;
  all.bandwidth_in_burst = 18'000'000'000'000'000'001U;
  all.bandwidth_out_burst = 6;
  all.new_connections_burst = 4'294'967'295U;
  ASSERT_TRUE(put(all));
  ASSERT_TRUE(put(caps(3), "bob"));
  start_service();
  EXPECT_EQ(log_.count("owner_cap.hydrated", {"\"owners\":2,\"clients\":1}"}), 1U);
  EXPECT_EQ(get()->limit, all);
  EXPECT_EQ(service_->owners_of(kEdge), (std::vector<std::string>{"alice", "bob"}));
  EXPECT_EQ(*service_->caps(kEdge, "bob"), caps(3));
  EXPECT_EQ(service_->caps(kOther, "bob"), nullptr);
}

TEST_F(OwnerCapServiceTest, OBS_2_a_store_that_cannot_be_read_starts_empty) {
  ASSERT_TRUE(put(caps(1)));
  script("ALTER TABLE owner_limits RENAME TO elsewhere");
  start_service();
  EXPECT_EQ(log_.count("owner_cap.hydrate_failed", {"\"level\":\"WARN\""}), 1U);
  EXPECT_TRUE(service_->owners_of(kEdge).empty());
}

TEST_F(OwnerCapServiceTest, OBS_2_a_session_that_refuses_is_told_of) {
  sink_.refuses = true;
  ASSERT_TRUE(put(caps(1)));
  EXPECT_EQ(
      log_.count("owner_cap.push_failed", {"\"level\":\"WARN\"",
                                           "\"client_name\":\"edge-01\",\"owner_id\":\"alice\","
                                           "\"action\":\"set\",\"error\":\""}),
      1U);
  ASSERT_TRUE(io_.run(service_->remove("edge-01", "alice")));
  EXPECT_EQ(log_.count("owner_cap.push_failed", {"\"action\":\"remove\""}), 1U);
}

TEST_F(OwnerCapServiceTest, SQ_3_caps_follow_the_client) {
  ASSERT_TRUE(put(caps(1)));
  ASSERT_TRUE(store_->write_now(
      [&](store::Connection& c) { return store::rename_client(c, kEdge, "edge-09"); }));
  service_->on_client_changed(kEdge, "edge-09");
  EXPECT_EQ(get("alice", "edge-09")->client, (store::ClientRef{kEdge, "edge-09"}));
  ASSERT_TRUE(
      store_->write_now([&](store::Connection& c) { return store::remove_client(c, kEdge); }));
  service_->on_client_removed(kEdge);
  EXPECT_EQ(get("alice", "edge-09")->client, (store::ClientRef{std::nullopt, "edge-09"}));
  EXPECT_TRUE(service_->owners_of(kEdge).empty());

  ASSERT_TRUE(store_->write_now(
      [&](store::Connection& c) { return add_client(c, kEdge, "edge-09", 'c'); }));
  service_->on_client_enrolled(kEdge, "edge-09");
  EXPECT_EQ(service_->owners_of(kEdge), std::vector<std::string>{"alice"});
  start_service();  // the store agrees
  EXPECT_EQ(service_->owners_of(kEdge), std::vector<std::string>{"alice"});
}

TEST_F(OwnerCapServiceTest, OBS_8_reports_count_for_owners_with_caps_alone) {
  ASSERT_TRUE(put(caps(1)));
  EXPECT_TRUE(service_->numbers().empty());
  service_->begin_session(kEdge);
  std::vector<model::OwnerTraffic> report(2);
  report[0].owner_id = "alice";
  report[0].limit.active = 3;
  report[0].limit.throttle_us_out = 1500;
  report[1].owner_id = "bob";
  report[1].limit.active = 9;
  service_->on_report(kEdge, report);
  auto numbers = service_->numbers();
  ASSERT_EQ(numbers.size(), 1U);
  EXPECT_EQ(numbers[0].client_name, "edge-01");
  EXPECT_EQ(numbers[0].owner_id, "alice");
  EXPECT_EQ(numbers[0].total.active, 3U);
  EXPECT_EQ(numbers[0].total.throttle_us_out, 1500U);
  service_->on_report(kEdge, {});
  EXPECT_EQ(service_->numbers().at(0).total.active, 0U);
  ASSERT_TRUE(io_.run(service_->remove("edge-01", "alice")));
  EXPECT_TRUE(service_->numbers().empty());
}

}  // namespace
}  // namespace portunus::server::owner_caps
