#include "server/rules/rule_check.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "server/rules/errc.hpp"

namespace portunus::server::rules {
namespace {

PushRequest good() {
  PushRequest request;
  request.client = "edge-01";
  request.listen_port = 18080;
  request.target_host = "10.0.0.5";
  request.target_port = 80;
  return request;
}

PushRequest with(const std::function<void(PushRequest&)>& change) {
  PushRequest request = good();
  change(request);
  return request;
}

struct ShapeCase {
  const char* name;
  std::function<void(PushRequest&)> change;
  Errc code;
  const char* detail = nullptr;
};

TEST(RuleCheck, HTTP_8_2_rows_1_to_9_in_order) {
  const ShapeCase cases[] = {
      {"both shapes", [](auto& r) { r.unavailable = {"targets"}; }, Errc::rule_shape_conflict},
      {"conflict before a bad port",
       [](auto& r) {
         r.unavailable = {"targets"};
         r.listen_port = 0;
       },
       Errc::rule_shape_conflict},
      {"no host", [](auto& r) { r.target_host.reset(); }, Errc::rule_shape_missing},
      {"no port", [](auto& r) { r.target_port.reset(); }, Errc::rule_shape_missing},
      {"missing before a bad port",
       [](auto& r) {
         r.target_port.reset();
         r.listen_port = 0;
       },
       Errc::rule_shape_missing},
      {"one end", [](auto& r) { r.listen_port_end = 18080; }, Errc::range_invalid},
      {"other end", [](auto& r) { r.target_port_end = 80; }, Errc::range_invalid},
      {"port 0", [](auto& r) { r.listen_port = 0; }, Errc::range_invalid},
      {"port too high", [](auto& r) { r.listen_port = 65'536; }, Errc::range_invalid},
      {"inverted",
       [](auto& r) {
         r.listen_port_end = 18079;
         r.target_port_end = 80;
       },
       Errc::range_invalid},
      {"range before sni",
       [](auto& r) {
         r.listen_port = 0;
         r.unavailable = {"sni_pattern"};
       },
       Errc::range_invalid},
      {"sni", [](auto& r) { r.unavailable = {"rate_limit", "sni_pattern"}; }, Errc::not_available,
       "sni_pattern"},
      {"rate limit before the target range",
       [](auto& r) {
         r.target_port = 0;
         r.unavailable = {"rate_limit"};
       },
       Errc::not_available, "rate_limit"},
      {"targets alone",
       [](auto& r) {
         r.target_host.reset();
         r.target_port.reset();
         r.unavailable = {"targets"};
       },
       Errc::not_available, "targets"},
      {"target port 0", [](auto& r) { r.target_port = 0; }, Errc::range_invalid},
      {"target port too high", [](auto& r) { r.target_port = 70'000; }, Errc::range_invalid},
      {"target range inverted",
       [](auto& r) {
         r.listen_port_end = 18081;
         r.target_port_end = 79;
       },
       Errc::range_invalid},
      {"something new", [](auto& r) { r.unavailable = {"shiny"}; }, Errc::not_available, "shiny"},
  };
  for (const ShapeCase& c : cases) {
    const auto shape = check_shape(with(c.change));
    ASSERT_FALSE(shape) << c.name;
    EXPECT_EQ(shape.error(), c.code) << c.name << ": " << shape.error().text();
    // The refusal names the feature.
    if (c.detail != nullptr) {
      EXPECT_EQ(shape.error().detail, "not available in this release: " + std::string(c.detail))
          << c.name;
    }
  }
}

TEST(RuleCheck, a_single_port_passes_also_as_a_range_of_one) {
  ASSERT_TRUE(check_shape(good()));
  const auto shape = check_shape(with([](auto& r) {
    r.listen_port_end = 18080;
    r.target_port_end = 80;
  }));
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->listen_port, 18080);
  EXPECT_EQ(shape->target_port, 80);
  EXPECT_TRUE(check_available(model::Protocol::tcp, *shape));
}

TEST(RuleCheck, HTTP_8_2_row_10_protocol_word_in_any_case) {
  EXPECT_EQ(check_protocol("tcp").value(), model::Protocol::tcp);
  EXPECT_EQ(check_protocol("UdP").value(), model::Protocol::udp);
  EXPECT_EQ(check_protocol("sctp").error(), Errc::invalid_protocol);
  EXPECT_EQ(check_protocol("").error(), Errc::invalid_protocol);
}

TEST(RuleCheck, HTTP_8_2_row_12_target_host) {
  EXPECT_EQ(check_target_host("10.0.0.5").value(), "10.0.0.5");
  EXPECT_EQ(check_target_host("[0:0::1]").value(), "[::1]");
  EXPECT_EQ(check_target_host("::1").error(), Errc::invalid_target_host);
  EXPECT_EQ(check_target_host("").error(), Errc::invalid_target_host);
  EXPECT_EQ(check_target_host("300.1.2.3").error(), Errc::invalid_target_host);
  EXPECT_EQ(check_target_host("-a.example").error(), Errc::invalid_target_host_label_hyphen);
  EXPECT_EQ(check_target_host(std::string(64, 'a') + ".example").error(),
            Errc::invalid_target_host_label_too_long);
  std::string long_name;
  while (long_name.size() < 254) long_name += "abc.";
  EXPECT_EQ(check_target_host(long_name + "d").error(), Errc::invalid_target_host_too_long);
  EXPECT_EQ(check_target_host("backend.example").error().text(),
            "not_available: not available in this release: DNS names as target");
}

TEST(RuleCheck, HTTP_8_2_rows_14_to_17) {
  EXPECT_EQ(check_available(model::Protocol::udp, {1, 2, 1, 1}).error().text(),
            "not_available: not available in this release: protocol udp");
  EXPECT_EQ(check_available(model::Protocol::tcp, {1, 3, 1, 2}).error(), Errc::range_invalid);
  EXPECT_EQ(check_available(model::Protocol::tcp, {1, 3, 1, 3}).error().text(),
            "not_available: not available in this release: port ranges");
}

TEST(RuleCheck, HTTP_8_4_active_and_failed_block_pending_does_not) {
  store::RuleRow rule;
  rule.client_id = "c1";
  rule.spec.listen_port = 443;
  const auto blocks = [&](std::string_view client, model::Protocol protocol, std::uint16_t port) {
    return blocks_port(rule, client, protocol, port);
  };
  EXPECT_FALSE(blocks("c1", model::Protocol::tcp, 443));
  for (const auto state : {store::RuleState::active, store::RuleState::failed}) {
    rule.state = state;
    EXPECT_TRUE(blocks("c1", model::Protocol::tcp, 443));
    EXPECT_FALSE(blocks("c2", model::Protocol::tcp, 443));
    EXPECT_FALSE(blocks("c1", model::Protocol::udp, 443));
    EXPECT_FALSE(blocks("c1", model::Protocol::tcp, 444));
  }
  rule.client_id.reset();  // under a bare name, on no edge
  EXPECT_FALSE(blocks("c1", model::Protocol::tcp, 443));
}

}  // namespace
}  // namespace portunus::server::rules
