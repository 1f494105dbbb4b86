#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/rules/errc.hpp"
#include "server/rules/rule_service.hpp"
#include "server/store/client_store.hpp"
#include "server/store/store.hpp"
#include "server/store/user_store.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::server::rules {

/// Records what is sent to the edges, in order.
class FakeSink final : public RuleSink {
 public:
  struct Sent {
    bool push;
    std::string client_id;
    std::string request_id;
    RuleId rule;
    model::RuleSpec spec = {};  ///< of a push
  };

  bool connected(std::string_view client_id) const override { return live.contains(client_id); }
  const ClientCapabilities* capabilities(std::string_view client_id) const override {
    const auto it = live.find(client_id);
    if (it == live.end()) return nullptr;
    return ++asked > 1 && next_session ? &*next_session : &it->second;
  }
  bool push(std::string_view client_id, std::string_view request_id,
            const model::RuleSpec& rule) override {
    if (!accepts || !connected(client_id)) return false;
    sent.push_back({true, std::string(client_id), std::string(request_id), rule.id, rule});
    return true;
  }
  bool remove(std::string_view client_id, std::string_view request_id, RuleId rule) override {
    if (!connected(client_id)) return false;
    sent.push_back({false, std::string(client_id), std::string(request_id), rule});
    return true;
  }

  std::map<std::string, ClientCapabilities, std::less<>> live;
  /// Another session takes over once the capabilities were asked for.
  std::optional<ClientCapabilities> next_session;
  mutable int asked = 0;
  bool accepts = true;  ///< false: the session is lost just before the PUSH is queued
  std::vector<Sent> sent;
};

inline const std::string kEdge = "01J00000000000000000000001";
inline const ClientCapabilities kCapable{.udp = true, .version = "1.8.0"};
inline const std::string kOther = "01J00000000000000000000002";

/// A rule service on a real store with two enrolled edges, the first one connected.
class RuleFixture : public testing::Test {
 protected:
  RuleFixture() {
    store_ = store::Store::open({.path = dir_ / "state.db"}).value();
    EXPECT_TRUE(store_->write_now([&](store::Connection& c) -> Result<> {
      for (const char* id : {"alice", "root"}) {
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
    sink_.live[kEdge] = kCapable;
  }
  ~RuleFixture() override { stop_service(); }

  Result<> add_client(store::Connection& c, std::string id, std::string name, char hash) {
    return store::insert_client(c, {.client_id = std::move(id),
                                    .name = std::move(name),
                                    .token_hash = std::string(64, hash),
                                    .provisioned_at = clock_.now(),
                                    .revoked_at = std::nullopt,
                                    .address = std::nullopt});
  }
  void start_service() {
    service_ = std::make_unique<RuleService>(io_.executor(), *store_, clock_, settings_);
    service_->set_sink(&sink_);
    ASSERT_TRUE(service_->hydrate());
  }
  void stop_service() {
    service_->request_stop();
    EXPECT_TRUE(io_.run(service_->drain(std::chrono::seconds(5))));
  }
  /// As a server restart does it.
  void restart() {
    stop_service();
    start_service();
  }

  static PushRequest request(std::uint32_t port = 18080) {
    PushRequest out;
    out.client = "edge-01";
    out.listen_port = port;
    out.target_host = "10.0.0.5";
    out.target_port = 80;
    return out;
  }
  using Pending = std::shared_ptr<std::optional<Result<store::RuleRow>>>;
  /// Starts a push and runs until it is sent.
  Pending send(PushRequest asked) {
    const std::size_t before = sink_.sent.size();
    Pending pending = io_.start(service_->push(root_, std::move(asked)));
    io_.run_until([&] { return sink_.sent.size() > before || pending->has_value(); });
    return pending;
  }
  Result<store::RuleRow> finish(const Pending& pending) {
    io_.run_until([&] { return pending->has_value(); });
    return **pending;
  }
  static PushRequest list_request(std::uint32_t port = 18080, std::size_t targets = 2) {
    PushRequest out = request(port);
    out.target_host.reset();
    out.target_port.reset();
    out.targets.emplace();
    for (std::size_t row = 0; row < targets; ++row) {
      out.targets->push_back({.host = "t" + std::to_string(row) + ".example", .port = 80});
    }
    return out;
  }
  /// A rule that is active.
  store::RuleRow activate(std::uint32_t port = 18080) { return activate(request(port)); }
  store::RuleRow activate(PushRequest asked) {
    const Pending pending = send(std::move(asked));
    status(sink_.sent.back().request_id, sink_.sent.back().rule, Outcome::activated);
    return finish(pending).value();
  }
  Result<store::RuleRow> refuse(PushRequest asked) {
    return io_.run(service_->push(root_, std::move(asked)));
  }
  void status(std::string_view request_id, RuleId rule, Outcome outcome, std::string reason = "") {
    service_->on_status(kEdge, "edge-01", request_id, rule, outcome, std::move(reason));
  }
  std::vector<model::RuleSpec> begin_session(const std::string& client,
                                             const ClientCapabilities& capabilities = kCapable) {
    return service_->begin_session(client, capabilities);
  }
  void report(const model::TrafficReport& content, const std::string& client = kEdge) {
    service_->on_report(client, client == kEdge ? "edge-01" : "edge-02", content);
  }
  /// Runs until the rule shows the state.
  void expect_state(RuleId id, store::RuleState state) {
    io_.run_until([&] { return shown(id).state == state; });
  }
  store::RuleRow shown(RuleId id) const {
    for (const RuleView& view : service_->list(root_, {}).rules) {
      if (view.row.spec.id == id) return view.row;
    }
    ADD_FAILURE() << "no rule " << id.value;
    return {};
  }

  test::TempDir dir_;
  ManualClock clock_;
  test::TestIo io_;
  FakeSink sink_;
  RuleSettings settings_{.max_ports = 1024, .update_timeout = std::chrono::seconds(10)};
  test::LogCapture log_;
  Actor root_{"root", true};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<RuleService> service_;
};

}  // namespace portunus::server::rules
