#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/rule.hpp"
#include "server/auth/errc.hpp"
#include "server/control/ports.hpp"

namespace portunus::test {

inline model::RuleSpec rule(std::uint64_t id, std::string host = "10.0.0.1") {
  model::RuleSpec spec;
  spec.id = RuleId{id};
  spec.listen_port = static_cast<std::uint16_t>(10'000 + id);
  spec.targets = {{std::move(host), 80}};
  spec.owner_id = "alice";
  return spec;
}

/// Knows a few bearers; everything else is as the test set it.
class FakeAuthority final : public server::control::ClientAuthority {
 public:
  async::Task<Result<server::control::EdgeIdentity>> authenticate(
      std::optional<std::string> authorization) override {
    ++asked;
    seen = authorization;
    if (refusal) co_return fail(*refusal);
    if (!authorization) co_return fail(server::auth::Errc::missing_token);
    const auto it = bearers.find(*authorization);
    if (it == bearers.end()) co_return fail(server::auth::Errc::token_not_found);
    co_return it->second;
  }
  async::Task<Result<server::auth::RedeemedBundle>> redeem(std::string code) override {
    redeemed.push_back(std::move(code));
    co_return bundle;
  }

  std::map<std::string, server::control::EdgeIdentity> bearers = {
      {"Bearer one", {"01J0000000000000000000000A", "edge-01"}},
      {"Bearer two", {"01J0000000000000000000000B", "edge-02"}},
  };
  std::optional<Error> refusal;
  int asked = 0;
  std::optional<std::string> seen;
  Result<server::auth::RedeemedBundle> bundle = fail(server::auth::Errc::enrollment_invalid);
  std::vector<std::string> redeemed;
};

/// The quotas and owner caps of one client.
class FakeLimits final : public server::control::LimitFeed {
 public:
  std::vector<std::string> quota_users(std::string_view /*client_id*/) const override {
    return keys_of(quotas);
  }
  std::optional<model::QuotaState> quota(std::string_view /*client_id*/,
                                         std::string_view user_id) const override {
    return find(quotas, user_id);
  }
  std::vector<std::string> capped_owners(std::string_view /*client_id*/) const override {
    return keys_of(caps);
  }
  std::optional<model::RateLimit> owner_caps(std::string_view /*client_id*/,
                                             std::string_view owner_id) const override {
    return find(caps, owner_id);
  }

  std::map<std::string, model::QuotaState, std::less<>> quotas;
  std::map<std::string, model::RateLimit, std::less<>> caps;

 private:
  template <class Map>
  static std::vector<std::string> keys_of(const Map& map) {
    std::vector<std::string> out;
    for (const auto& [key, value] : map) out.push_back(key);
    return out;
  }
  template <class Map>
  static std::optional<typename Map::mapped_type> find(const Map& map, std::string_view key) {
    const auto it = map.find(key);
    return it == map.end() ? std::nullopt : std::optional(it->second);
  }
};

/// The rules of one client, and everything its sessions reported.
class FakeFeed final : public server::control::RuleFeed {
 public:
  struct Status {
    std::string client_id;
    std::string client_name;
    std::string request_id;
    RuleId rule;
    server::rules::Outcome outcome;
    std::string reason;
  };

  std::vector<model::RuleSpec> begin_session(
      std::string_view client_id, const server::rules::ClientCapabilities& capable) override {
    capabilities = capable;
    calls.push_back("begin " + std::string(client_id));
    ++begun;
    std::vector<model::RuleSpec> out;
    for (const auto& [id, spec] : rules) out.push_back(spec);
    return out;
  }
  const model::RuleSpec* current(RuleId id) const override {
    const auto it = rules.find(id);
    return it == rules.end() ? nullptr : &it->second;
  }
  void expect_status(std::string_view /*client_id*/, std::string request_id, RuleId id) override {
    expected[std::move(request_id)] = id;
  }
  void on_status(std::string_view client_id, std::string_view client_name,
                 std::string_view request_id, RuleId id, server::rules::Outcome outcome,
                 std::string reason) override {
    calls.push_back("status " + std::string(request_id));
    statuses.push_back({std::string(client_id), std::string(client_name), std::string(request_id),
                        id, outcome, std::move(reason)});
  }
  void on_report(std::string_view client_id, std::string_view client_name,
                 const model::TrafficReport& content) override {
    calls.push_back("report " + std::string(client_id));
    reporter = client_name;
    report = content;
    ++reports;
  }
  void end_session(std::string_view client_id) override {
    calls.push_back("end " + std::string(client_id));
    ++ended;
  }

  std::map<RuleId, model::RuleSpec> rules;
  std::map<std::string, RuleId> expected;
  server::rules::ClientCapabilities capabilities;
  std::vector<Status> statuses;
  std::string reporter;
  model::TrafficReport report;
  std::vector<std::string> calls;
  int begun = 0;
  int ended = 0;
  int reports = 0;
};

}  // namespace portunus::test
