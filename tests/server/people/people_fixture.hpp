#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/people/errc.hpp"
#include "server/people/people.hpp"
#include "server/store/client_store.hpp"
#include "server/store/credential_store.hpp"
#include "server/store/grant_store.hpp"
#include "server/store/owner_limit_store.hpp"
#include "server/store/rule_store.hpp"
#include "server/store/user_store.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::server::people {

inline const std::string kEdge = "01J00000000000000000000001";

/// Writes down what it hears.
class FakeListener final : public PeopleListener {
 public:
  void on_rules_removed(std::span<const store::RemovedRule> removed) override {
    rules.insert(rules.end(), removed.begin(), removed.end());
  }
  void on_caps_removed(const store::ClientRef& client, std::string_view owner) override {
    caps.push_back(client.client_name + "/" + std::string(owner));
  }
  std::vector<std::uint64_t> ids() const {
    std::vector<std::uint64_t> out;
    for (const auto& rule : rules) out.push_back(rule.id.value);
    return out;
  }

  std::vector<store::RemovedRule> rules;
  std::vector<std::string> caps;
};

/// Refuses what is short; counts its calls.
struct FakeHasher {
  int calls = 0;
  async::Task<Result<std::string>> hash(const Secret password) {
    ++calls;
    if (password.reveal().size() < 12)
      co_return fail(Error(std::make_error_code(std::errc::value_too_large)));
    co_return "$hash$" + password.reveal();
  }
};

/// The services on a real store with one enrolled edge and the superadmin "root".
class PeopleFixture : public testing::Test {
 protected:
  PeopleFixture() {
    store_ = store::Store::open({.path = dir_ / "state.db", .readers = 1}).value();
    people_ = std::make_unique<People>(
        *store_, clock_, [this](Secret password) { return hasher_.hash(std::move(password)); });
    people_->set_listener(&listener_);
    write([&](store::Connection& c) {
      return store::insert_client(c, {.client_id = kEdge,
                                      .name = "edge-01",
                                      .token_hash = std::string(64, 'a'),
                                      .provisioned_at = clock_.now(),
                                      .revoked_at = std::nullopt,
                                      .address = std::nullopt});
    });
    add_row("root", store::Role::superadmin);
  }

  template <class F>
  void write(F change) {
    const auto done = store_->write_now(std::move(change));
    EXPECT_TRUE(done) << done.error().text();
  }
  void add_row(const std::string& id, store::Role role, bool disabled = false) {
    write([&](store::Connection& c) {
      return store::insert_user(c, {.user_id = id,
                                    .display_name = id,
                                    .role = role,
                                    .disabled = disabled,
                                    .created_at = clock_.now()});
    });
  }
  /// A stored rule of that user on edge-01.
  std::uint64_t add_rule(const std::string& owner, std::uint16_t port, std::uint32_t ports = 1,
                         model::Protocol protocol = model::Protocol::tcp) {
    store::RuleRow row;
    row.spec.owner_id = owner;
    row.spec.protocol = protocol;
    row.spec.listen_port = port;
    row.spec.ports = ports;
    row.spec.targets = {{"10.0.0.5", 80}};
    row.client_id = kEdge;
    row.client_name = "edge-01";
    const auto id =
        store_->write_now([&](store::Connection& c) { return store::insert_rule(c, row); });
    EXPECT_TRUE(id) << id.error().text();
    return id->value;
  }
  void add_caps(const std::string& owner, store::ClientRef client) {
    store::OwnerLimitRow row;
    row.client = std::move(client);
    row.owner_id = owner;
    row.limit.concurrent_connections = 1;
    write([&](store::Connection& c) { return store::put_owner_limit(c, row); });
  }
  std::vector<std::uint64_t> rules_of(const std::string& owner) {
    std::vector<std::uint64_t> out;
    const auto rows =
        store_->read_now([&](store::Connection& c) { return store::list_rules_of(c, owner); });
    for (const auto& row : rows.value()) out.push_back(row.spec.id.value);
    return out;
  }
  std::size_t caps() {
    return store_->read_now([](store::Connection& c) { return store::list_owner_limits(c); })
        .value()
        .size();
  }
  static NewGrant wanted(std::uint16_t first, std::uint16_t last,
                         std::vector<std::string> protocols = {"tcp"}) {
    return {.user_id = "alice",
            .client = "edge-01",
            .listen_port_start = first,
            .listen_port_end = last,
            .protocols = std::move(protocols)};
  }
  Result<store::GrantRow> add_grant(NewGrant grant) {
    return io_.run(people_->grants.add("root", std::move(grant)));
  }

  test::TempDir dir_;
  ManualClock clock_;
  test::TestIo io_;
  test::LogCapture log_;
  FakeHasher hasher_;
  FakeListener listener_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<People> people_;
};

}  // namespace portunus::server::people
