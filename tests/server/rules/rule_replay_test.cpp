#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server/rules/rule_fixture.hpp"

// What a session replays, in which order, and what it must not (control-wire 6.2, 9).

namespace portunus::server::rules {
namespace {

using store::RuleState;

class RuleReplayTest : public RuleFixture {
 protected:
  std::uint64_t add(std::uint32_t port, const char* pattern = nullptr, std::uint32_t ports = 1,
                    const char* protocol = "tcp") {
    PushRequest asked = request(port);
    asked.protocol = protocol;
    if (pattern != nullptr) asked.sni_pattern = pattern;
    if (ports > 1) {
      asked.listen_port_end = port + ports - 1;
      asked.target_port_end = 80 + ports - 1;
    }
    asked.ack_timeout = std::chrono::seconds(0);  // pending: blocks no other rule
    EXPECT_EQ(finish(send(asked)).error(), Errc::ack_timeout);
    return sink_.sent.back().rule.value;
  }
  std::vector<std::uint64_t> replayed(const ClientCapabilities& capabilities = kCapable) {
    std::vector<std::uint64_t> ids;
    for (const model::RuleSpec& spec : begin_session(kEdge, capabilities)) {
      ids.push_back(spec.id.value);
    }
    return ids;
  }
};

TEST_F(RuleReplayTest, CW_6_2_LIFE_6_patterns_before_the_plain_rule_of_their_port) {
  const auto plain443 = add(443);
  const auto other = add(80);
  const auto first = add(443, "a.b");
  const auto udp443 = add(443, nullptr, 1, "udp");
  const auto range = add(440, nullptr, 5);
  const auto second = add(443, "*.b.c");
  const auto plain8443 = add(8443);
  const auto early = add(9443, "a.b");
  const auto plain9443 = add(9443);
  EXPECT_EQ(replayed(), (std::vector<std::uint64_t>{other, first, udp443, second, plain443, range,
                                                    plain8443, early, plain9443}));
}

TEST_F(RuleReplayTest, CW_9_a_closed_gate_fails_the_rule_with_its_code) {
  PushRequest udp = request(1001);
  udp.protocol = "udp";
  const RuleId plain = activate(1000).spec.id;
  const RuleId udp_id = activate(udp).spec.id;
  const RuleId list = activate(list_request(1002, 2)).spec.id;
  PushRequest sni = request(1003);
  sni.sni_pattern = "a.b";
  const RuleId sni_id = activate(sni).spec.id;
  PushRequest proxied = list_request(1004, 1);
  proxied.targets->front().proxy_protocol = "v1";
  const RuleId proxied_id = activate(proxied).spec.id;
  PushRequest capped = list_request(1005, 1);
  capped.rate_limit = WantedCaps{.limit = {.concurrent_connections = 1}};
  const RuleId capped_id = activate(capped).spec.id;

  EXPECT_EQ(replayed({.udp = false, .version = ""}), std::vector<std::uint64_t>{plain.value});
  const std::pair<RuleId, const char*> failed[] = {
      {udp_id, "unsupported_protocol"},
      {list, "multi_target_unsupported_by_client"},
      {sni_id, "sni_unsupported_by_client"},
      {proxied_id, "proxy_protocol_unsupported_by_client"},
      {capped_id, "rate_limit_unsupported_by_client"}};
  for (const auto& [id, reason] : failed) {
    expect_state(id, RuleState::failed);
    EXPECT_EQ(shown(id).failure_reason, reason);
    EXPECT_EQ(log_.count("audit.rule_push", {"\"outcome\":\"failed\"", "\"level\":\"WARN\"", reason,
                                             "\"rule_id\":\"" + std::to_string(id.value) + "\""}),
              1U);
  }
  // For good: neither a restart nor a newer client brings them back, and they keep their ports.
  restart();
  EXPECT_EQ(replayed(), std::vector<std::uint64_t>{plain.value});
  EXPECT_EQ(shown(list).failure_reason, "multi_target_unsupported_by_client");
  EXPECT_EQ(refuse(request(1002)).error(), Errc::port_in_use);
}

TEST_F(RuleReplayTest, CW_9_an_older_client_gets_what_it_understands) {
  const RuleId list = activate(list_request(1002, 2)).spec.id;
  PushRequest capped = list_request(1005, 1);
  capped.rate_limit = WantedCaps{.limit = {.concurrent_connections = 1}};
  activate(capped);
  EXPECT_EQ(replayed({.udp = false, .version = "0.10.7"}), std::vector<std::uint64_t>{list.value});
}

TEST_F(RuleReplayTest, a_stopping_service_fails_nothing) {
  const RuleId list = activate(list_request(1002, 2)).spec.id;
  service_->request_stop();
  EXPECT_TRUE(replayed({.udp = false, .version = "0.6"}).empty());
  io_.poll();
  EXPECT_NE(shown(list).state, RuleState::failed);
}

}  // namespace
}  // namespace portunus::server::rules
