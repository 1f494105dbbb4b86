#include "server/http/api/stats_stream.hpp"

#include "tests/server/api/api_fixture.hpp"

// A rule's reports as server-sent events (http-api 9.2).

namespace portunus::server::http::api {
namespace {

class StatsStreamTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    bootstrap();
    edge_ = enroll("edge-01");
    rule_ = push(18080);
  }
  void report(std::uint64_t rule, std::uint64_t in,
              std::vector<model::TargetTraffic> targets = {}) {
    model::RuleTraffic entry;
    entry.rule = RuleId{rule};
    entry.bytes_in = in;
    entry.ports.push_back({.listen_port = 18080, .bytes_in = in});
    entry.targets = std::move(targets);
    rules_->on_report(edge_, "edge-01", {{entry}, {}, {}});
  }
  static std::string path(std::uint64_t rule, const std::string& query = "") {
    return "/v1/rules/" + std::to_string(rule) + "/stats/stream" + query;
  }
  std::shared_ptr<BodyStream> open(std::uint64_t rule, const std::string& query = "") {
    const Response response = get(path(rule, query));
    EXPECT_EQ(response.status, 200U) << response.body;
    EXPECT_EQ(response.header("content-type"), "text/event-stream");
    EXPECT_EQ(response.header("cache-control"), "no-cache");
    EXPECT_TRUE(response.body.empty());
    return response.stream;
  }
  std::string next(BodyStream& stream) { return io_.run(stream.next()); }
  /// The object of a frame, whose form is checked on the way.
  static Json frame(const std::string& text) {
    constexpr std::string_view kBegin = "event: stats\ndata: ";
    EXPECT_TRUE(text.starts_with(kBegin)) << text;
    EXPECT_TRUE(text.ends_with("}\n\n")) << text;
    const std::string data = text.substr(kBegin.size(), text.size() - kBegin.size() - 2);
    EXPECT_EQ(data.find('\n'), std::string::npos) << text;
    return Json::parse(data, nullptr, false);
  }

  std::string edge_;
  std::uint64_t rule_ = 0;
};

TEST_F(StatsStreamTest, HTTP_9_2_a_frame_is_the_stats_object_without_protocol_and_ports) {
  report(rule_, 100);
  const auto stream = open(rule_, "?per_port=true");
  const Json shown = frame(next(*stream));
  Json expected = json(get("/v1/rules/" + std::to_string(rule_) + "/stats"));
  EXPECT_EQ(expected.erase("protocol"), 1U);
  EXPECT_EQ(shown, expected);
  EXPECT_EQ(shown["bytes_in"], 100);
}

TEST_F(StatsStreamTest, HTTP_9_2_one_frame_per_report) {
  const auto stream = open(rule_);  // no report yet is no 404 here
  report(rule_, 1);
  report(rule_, 2);
  EXPECT_EQ(frame(next(*stream))["bytes_in"], 1);
  EXPECT_EQ(frame(next(*stream))["bytes_in"], 2);
}

TEST_F(StatsStreamTest, HTTP_9_2_targets_appear_when_asked_for_and_not_empty) {
  const std::uint64_t list = push(list_body(18090));
  report(rule_, 1);
  std::vector<model::TargetTraffic> both(2);
  both[1].index = 1;
  report(list, 1, both);
  EXPECT_FALSE(frame(next(*open(rule_, "?per_target=true"))).contains("per_target"));
  EXPECT_FALSE(frame(next(*open(list))).contains("per_target"));
  EXPECT_FALSE(frame(next(*open(list, "?per_target=on"))).contains("per_target"));
  const Json shown = frame(next(*open(list, "?per_target=1")));
  ASSERT_EQ(shown["per_target"].size(), 2U);
  EXPECT_EQ(shown["per_target"],
            json(get("/v1/rules/" + std::to_string(list) + "/stats?per_target=1"))["per_target"]);
  report(list, 2);
  EXPECT_FALSE(frame(next(*open(list, "?per_target=1"))).contains("per_target"));
}

TEST_F(StatsStreamTest, HTTP_9_2_silence_is_a_comment) {
  auto subscription = rules_->watch({"_superadmin", true}, RuleId{rule_}).value();
  StatsStream stream(subscription, false, std::chrono::milliseconds(1));
  EXPECT_EQ(next(stream), ": keepalive\n\n");
  EXPECT_EQ(next(stream), ": keepalive\n\n");
  report(rule_, 7);
  EXPECT_EQ(frame(next(stream))["bytes_in"], 7);
  EXPECT_EQ(StatsStream::kKeepAlive, std::chrono::seconds(30));
}

TEST_F(StatsStreamTest, HTTP_9_2_ends_with_the_rule_and_when_closed) {
  const auto stream = open(rule_);
  const auto other = open(rule_);
  other->close();
  EXPECT_EQ(next(*other), "");
  const auto pending = io_.start(stream->next());
  EXPECT_EQ(send({.method = "DELETE", .target = "/v1/rules/" + std::to_string(rule_)}).status,
            204U);
  io_.run_until([&] { return pending->has_value(); });
  EXPECT_EQ(**pending, "");
}

TEST_F(StatsStreamTest, HTTP_9_2_refusals_are_json) {
  const std::string alice = add_user("alice", store::Role::user);
  EXPECT_EQ(refusal(send({.target = path(rule_), .token = ""})), "401 unauthenticated");
  EXPECT_EQ(refusal(send({.target = path(rule_), .token = alice})), "403 not_owner");
  EXPECT_EQ(refusal(get(path(999))), "404 rule_not_found");
  EXPECT_EQ(refusal(get("/v1/rules/x/stats/stream")), "400 invalid_path");
  EXPECT_EQ(refusal(get(path(rule_, "?a=%"))), "400 invalid_query");
  EXPECT_EQ(refusal(send({.method = "POST", .target = path(rule_)})), "405 method_not_allowed");
  EXPECT_EQ(get(path(999)).header("cache-control"), "no-store");
}

}  // namespace
}  // namespace portunus::server::http::api
