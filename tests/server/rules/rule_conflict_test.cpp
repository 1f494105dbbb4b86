#include "server/rules/rule_conflict.hpp"

#include <gtest/gtest.h>

#include <string>

#include "server/rules/errc.hpp"

namespace portunus::server::rules {
namespace {

using store::RuleState;

class RuleConflict : public testing::Test {
 protected:
  static model::RuleSpec spec(std::uint16_t port, std::uint32_t ports = 1) {
    model::RuleSpec out;
    out.listen_port = port;
    out.ports = ports;
    out.targets = {{"a", 1}};
    return out;
  }
  static model::RuleSpec sni(std::uint16_t port, std::string pattern) {
    model::RuleSpec out = spec(port);
    out.sni_pattern = std::move(pattern);
    return out;
  }
  static model::RuleSpec udp(model::RuleSpec spec) {
    spec.protocol = model::Protocol::udp;
    return spec;
  }
  void has(model::RuleSpec rule, RuleState state = RuleState::active, std::string client = "c1") {
    store::RuleRow row;
    row.spec = std::move(rule);
    row.spec.id = RuleId{++last_id_};
    row.client_id = std::move(client);
    row.state = state;
    book_.add(std::move(row));
  }
  /// Empty when there is none.
  std::string conflict(const model::RuleSpec& candidate) const {
    const auto found = find_conflict(book_, "c1", candidate);
    return found ? found->text() : "";
  }

  RuleBook book_;
  std::uint64_t last_id_ = 0;
};

TEST_F(RuleConflict, HTTP_8_4_LIFE_3_active_and_failed_block_pending_does_not) {
  has(spec(443), RuleState::pending);
  EXPECT_EQ(conflict(spec(443)), "");
  has(spec(444), RuleState::failed);
  EXPECT_EQ(conflict(spec(444)), "port_in_use: port 444 already in use");
  has(spec(445));
  EXPECT_EQ(conflict(spec(445)), "port_in_use: port 445 already in use");
  EXPECT_EQ(conflict(spec(446)), "");
}

TEST_F(RuleConflict, HTTP_8_4_only_rules_of_the_same_client_and_protocol) {
  has(spec(443), RuleState::active, "c2");
  EXPECT_EQ(conflict(spec(443)), "");
  has(udp(spec(443)));
  EXPECT_EQ(conflict(spec(443)), "");
  EXPECT_EQ(conflict(udp(spec(443))), "port_in_use: port 443 already in use");
  store::RuleRow bare;  // under a bare name, on no edge
  bare.spec = spec(443);
  bare.spec.id = RuleId{99};
  bare.state = RuleState::active;
  book_.add(bare);
  EXPECT_EQ(conflict(spec(443)), "");
}

TEST_F(RuleConflict, HTTP_8_4_ranges_name_the_first_overlapping_port) {
  has(spec(110, 10));  // 110..119
  has(spec(105, 3));   // 105..107
  EXPECT_EQ(conflict(spec(100, 5)), "");
  EXPECT_EQ(conflict(spec(120, 5)), "");
  EXPECT_EQ(conflict(spec(108, 2)), "");
  EXPECT_EQ(conflict(spec(100, 100)), "port_in_use: port 105 already in use");
  EXPECT_EQ(conflict(spec(108, 3)), "port_in_use: port 110 already in use");
  EXPECT_EQ(conflict(spec(119, 9)), "port_in_use: port 119 already in use");
  EXPECT_EQ(conflict(spec(115)), "port_in_use: port 115 already in use");
  EXPECT_EQ(conflict(sni(115, "a.b")), "port_in_use: port 115 already in use");
  has(udp(spec(60'000, 5'536)));  // up to 65535
  EXPECT_EQ(conflict(udp(spec(65'535))), "port_in_use: port 65535 already in use");
}

TEST_F(RuleConflict, HTTP_8_4_a_plain_port_does_not_change_to_SNI) {
  has(spec(443));
  EXPECT_EQ(conflict(spec(443)), "port_in_use: port 443 already in use");
  EXPECT_TRUE(conflict(sni(443, "a.b")).starts_with("conflict.legacy_to_sni_unsupported: "));
}

TEST_F(RuleConflict, HTTP_8_4_in_SNI_mode_every_pattern_and_one_fallback) {
  has(sni(443, "a.b"));
  EXPECT_EQ(conflict(sni(443, "b.b")), "");
  EXPECT_EQ(conflict(sni(443, "*.b.c")), "");
  EXPECT_TRUE(conflict(sni(443, "a.b")).starts_with("conflict.sni_route_duplicate: "));
  EXPECT_EQ(conflict(spec(443)), "");
  has(spec(443));
  EXPECT_TRUE(conflict(spec(443)).starts_with("conflict.sni_fallback_duplicate: "));
  EXPECT_EQ(conflict(sni(443, "b.b")), "");
  EXPECT_TRUE(conflict(sni(443, "a.b")).starts_with("conflict.sni_route_duplicate: "));
  EXPECT_EQ(conflict(spec(440, 10)), "port_in_use: port 443 already in use");
  EXPECT_EQ(conflict(udp(spec(443))), "");
}

TEST_F(RuleConflict, HTTP_8_4_failed_rules_count_for_the_mode_pending_ones_do_not) {
  has(sni(443, "a.b"), RuleState::pending);
  has(spec(443));
  EXPECT_TRUE(conflict(sni(443, "a.b")).starts_with("conflict.legacy_to_sni_unsupported: "));
  has(sni(444, "a.b"), RuleState::failed);
  EXPECT_TRUE(conflict(sni(444, "a.b")).starts_with("conflict.sni_route_duplicate: "));
  EXPECT_EQ(conflict(spec(444)), "");
}

}  // namespace
}  // namespace portunus::server::rules
