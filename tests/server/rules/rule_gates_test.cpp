#include "server/rules/rule_gates.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace portunus::server::rules {
namespace {

model::RuleSpec plain() {
  model::RuleSpec spec;
  spec.listen_port = 1;
  spec.targets = {{"a", 1}};
  return spec;
}

struct Feature {
  std::function<void(model::RuleSpec&)> use;
  const char* last_closed;
  const char* first_open;
  bool passes_unknown;
  Errc code;
};

const Feature kFeatures[] = {
    {[](auto& spec) { spec.targets.push_back({"b", 1}); }, "0.6.9", "0.7", true,
     Errc::multi_target_unsupported_by_client},
    {[](auto& spec) { spec.sni_pattern = "a.b"; }, "0.8", "0.9.0", true,
     Errc::sni_unsupported_by_client},
    {[](auto& spec) { spec.targets.back().proxy = model::ProxyVersion::v1; }, "0.9.99", "0.10",
     false, Errc::proxy_protocol_unsupported_by_client},
    {[](auto& spec) { spec.rate_limit = {.concurrent_connections = 1}; }, "0.10", "0.11-rc1", false,
     Errc::rate_limit_unsupported_by_client},
};

TEST(RuleGates, HTTP_8_3_each_feature_has_its_release) {
  for (const Feature& feature : kFeatures) {
    model::RuleSpec spec = plain();
    feature.use(spec);
    EXPECT_EQ(closed_for_release(spec, feature.last_closed), feature.code);
    EXPECT_EQ(closed_for_release(spec, feature.first_open), std::nullopt) << feature.first_open;
    EXPECT_EQ(closed_for_release(spec, "x.y"), feature.code);
    EXPECT_EQ(closed_for_release(spec, "1.8.0"), std::nullopt);
  }
}

TEST(RuleGates, HTTP_8_3_an_unknown_version_passes_lists_and_SNI_at_a_push) {
  for (const Feature& feature : kFeatures) {
    model::RuleSpec spec = plain();
    feature.use(spec);
    const auto code = closed_for_release(spec, "");
    EXPECT_EQ(code, feature.passes_unknown ? std::nullopt : std::optional(feature.code));
  }
}

TEST(RuleGates, CW_9_an_unknown_version_passes_nothing_at_a_replay) {
  for (const Feature& feature : kFeatures) {
    model::RuleSpec spec = plain();
    feature.use(spec);
    EXPECT_EQ(closed_at_replay(spec, {.udp = true, .version = ""}), feature.code);
    EXPECT_EQ(closed_at_replay(spec, {.udp = true, .version = feature.first_open}), std::nullopt);
  }
  EXPECT_EQ(closed_at_replay(plain(), {.udp = false, .version = ""}), std::nullopt);
}

TEST(RuleGates, HTTP_8_3_in_the_listed_order) {
  for (std::size_t first = 0; first < std::size(kFeatures); ++first) {
    model::RuleSpec spec = plain();
    for (std::size_t i = first; i < std::size(kFeatures); ++i) kFeatures[i].use(spec);
    EXPECT_EQ(closed_for_release(spec, "0.1"), kFeatures[first].code);
  }
}

TEST(RuleGates, HTTP_8_3_UDP_must_have_been_announced) {
  model::RuleSpec spec = plain();
  EXPECT_EQ(closed_for_udp(spec, {}), std::nullopt);
  spec.protocol = model::Protocol::udp;
  EXPECT_EQ(closed_for_udp(spec, {.udp = false, .version = "9.9"}), Errc::unsupported_protocol);
  EXPECT_EQ(closed_for_udp(spec, {.udp = true, .version = ""}), std::nullopt);
  EXPECT_EQ(closed_at_replay(spec, {.udp = false, .version = "9.9"}), Errc::unsupported_protocol);
  spec.targets.push_back({"b", 1});
  EXPECT_EQ(closed_at_replay(spec, {.udp = false, .version = "0.4"}),
            Errc::multi_target_unsupported_by_client);
}

}  // namespace
}  // namespace portunus::server::rules
