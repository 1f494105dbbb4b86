#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/quotas/errc.hpp"
#include "server/quotas/quota_service.hpp"
#include "server/store/client_store.hpp"
#include "server/store/connection.hpp"
#include "server/store/grant_store.hpp"
#include "server/store/store.hpp"
#include "server/store/user_store.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::server::quotas {

inline const std::string kEdge = "01J00000000000000000000001";
inline const std::string kOther = "01J00000000000000000000002";
inline constexpr std::int64_t kNow = 1'704'067'200;        // 2024-01-01
inline constexpr std::int64_t kNextMonth = 1'706'745'600;  // 2024-02-01

/// Records what the edges are told, with the state they would be told at once.
class FakeSink final : public QuotaSink {
 public:
  struct Told {
    std::string client_id;
    std::string user_id;
    std::optional<model::QuotaState> state;
  };

  std::optional<std::string_view> client_version(std::string_view client_id) const override {
    const auto it = versions.find(client_id);
    if (it == versions.end()) return std::nullopt;
    return it->second;
  }
  QuotaSink::Told quota_changed(std::string_view client_id, std::string_view user_id) override {
    if (!versions.contains(client_id)) return QuotaSink::Told::absent;
    if (refuses) return QuotaSink::Told::refused;
    told.push_back(
        {std::string(client_id), std::string(user_id), service->state(client_id, user_id)});
    return QuotaSink::Told::queued;
  }

  QuotaService* service = nullptr;
  std::map<std::string, std::string, std::less<>> versions;  ///< of who is connected
  bool refuses = false;
  std::vector<Told> told;
};

/// The quota service on a real store with two enrolled edges, the first one connected.
class QuotaFixture : public testing::Test {
 protected:
  QuotaFixture() {
    store_ = store::Store::open({.path = dir_ / "state.db", .readers = 1}).value();
    EXPECT_TRUE(store_->write_now([&](store::Connection& c) -> Result<> {
      for (const auto& [id, role] :
           {std::pair("alice", store::Role::superadmin), std::pair("bob", store::Role::superadmin),
            std::pair("carol", store::Role::user)}) {
        const auto user = store::insert_user(c, {.user_id = id,
                                                 .display_name = id,
                                                 .role = role,
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
  ~QuotaFixture() override { stop_service(); }

  Result<> add_client(store::Connection& c, std::string id, std::string name, char hash) {
    return store::insert_client(c, {.client_id = std::move(id),
                                    .name = std::move(name),
                                    .token_hash = std::string(64, hash),
                                    .provisioned_at = clock_.now(),
                                    .revoked_at = std::nullopt,
                                    .address = std::nullopt});
  }
  void start_service() {
    service_ = std::make_unique<QuotaService>(io_.executor(), *store_, clock_);
    service_->set_sink(&sink_);
    sink_.service = service_.get();
    service_->hydrate();
  }
  void stop_service() {
    if (!service_) return;
    service_->request_stop();
    EXPECT_TRUE(io_.run(service_->drain(std::chrono::seconds(5))));
    service_.reset();
  }
  /// As a server restart does it.
  void restart() {
    stop_service();
    start_service();
  }

  Result<store::QuotaRow> put(std::int64_t limit, std::optional<std::int64_t> anchor = std::nullopt,
                              const std::string& user = "alice",
                              const std::string& client = "edge-01") {
    return io_.run(service_->put(user, client, limit, anchor));
  }
  Result<store::QuotaRow> patch(std::optional<std::int64_t> limit, bool clear,
                                const std::string& client = "edge-01") {
    return io_.run(service_->patch("alice", client, limit, clear));
  }
  Result<store::QuotaRow> status(const std::string& user = "alice",
                                 const std::string& client = "edge-01") {
    return io_.run(service_->status(user, client));
  }
  void report(std::uint64_t in, std::uint64_t out, const std::string& user = "alice") {
    const model::OwnerUsage usage{user, in, out};
    service_->on_usage(kEdge, "edge-01", {&usage, 1});
  }
  /// Until alice has used that much on edge-01.
  void expect_used(std::int64_t bytes) {
    io_.run_until([&] {
      return service_->state(kEdge, "alice")->budget_remaining_bytes ==
             service_->state(kEdge, "alice")->monthly_bytes - bytes;
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
  void script(std::string_view sql) {
    EXPECT_TRUE(store_->write_now([&](store::Connection& c) {
      return store::guarded([&]() -> Result<> {
        c.run_script(sql);
        return {};
      });
    }));
  }

  test::TempDir dir_;
  ManualClock clock_{kNow};
  test::TestIo io_;
  FakeSink sink_;
  test::LogCapture log_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<QuotaService> service_;
};

}  // namespace portunus::server::quotas
