// The target grammar of push-rule: what it accepts is a body that says the same.

#include <fuzzer/FuzzedDataProvider.h>

#include <nlohmann/json.hpp>
#include <string>

#include "common/model/rule.hpp"
#include "common/net/endpoint.hpp"
#include "server/cli/rule_arguments.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace {

namespace cli = portunus::server::cli;
using Json = nlohmann::ordered_json;

std::string consume_text(FuzzedDataProvider& data) {
  return data.ConsumeRandomLengthString(300);
}

void check_row(const Json& row) {
  FUZZ_CHECK(portunus::model::parse_target_host(row["host"].get<std::string>()));
  const auto port = row["port"].get<std::uint64_t>();
  FUZZ_CHECK(port >= 1 && port <= 65535);
  FUZZ_CHECK(row["priority"].get<std::uint64_t>() <= 0xFFFFFFFF);
}

void check_body(const cli::PushArguments& arguments, const cli::PushBody& pushed) {
  const Json body = Json::parse(pushed.json, nullptr, false);
  FUZZ_CHECK(body.is_object());
  FUZZ_CHECK(pushed.listen_port >= 1 && body["listen_port"] == pushed.listen_port);
  if (arguments.target) {
    FUZZ_CHECK(!body.contains("targets"));
    FUZZ_CHECK(portunus::model::parse_target_host(body["target_host"].get<std::string>()));
    const auto first = body["target_port"].get<std::uint64_t>();
    FUZZ_CHECK(first >= 1 && first <= 65535);
    FUZZ_CHECK(body.contains("listen_port_end") == body.contains("target_port_end"));
    if (body.contains("target_port_end")) {
      FUZZ_CHECK(body["target_port_end"].get<std::uint64_t>() >= first);
      FUZZ_CHECK(body["listen_port_end"].get<std::uint64_t>() >= pushed.listen_port);
    } else {
      const auto host = body["target_host"].get<std::string>();
      FUZZ_CHECK(*arguments.target == host + ":" + std::to_string(first));
    }
    return;
  }
  FUZZ_CHECK(!body.contains("target_host"));
  if (arguments.targets_json) return;  // judged by the server
  FUZZ_CHECK(body["targets"].size() == arguments.targets.size());
  for (const Json& row : body["targets"]) check_row(row);
}

}  // namespace

PORTUNUS_FUZZ_TARGET(push_arguments)(portunus::fuzz::Input input) {
  FuzzedDataProvider data(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  cli::PushArguments arguments;
  const auto shape = data.ConsumeIntegralInRange<unsigned>(0, 3);
  arguments.client = "edge-01";
  arguments.listen = data.ConsumeBool() ? "8443" : consume_text(data);
  if (shape == 0) arguments.target = consume_text(data);
  if (shape == 1) {
    const auto rows = data.ConsumeIntegralInRange<unsigned>(1, 9);
    for (unsigned i = 0; i < rows; ++i) arguments.targets.push_back(consume_text(data));
  }
  if (shape == 2) arguments.targets_json = consume_text(data);
  if (data.ConsumeBool()) arguments.sni = consume_text(data);
  if (data.ConsumeBool()) {
    arguments.health_check_interval_secs = data.ConsumeIntegral<std::uint32_t>();
  }
  const auto pushed = cli::make_push_body(arguments);
  if (!pushed) {
    FUZZ_CHECK(!pushed.error().text.empty() && pushed.error().exit != 0);
    return;
  }
  FUZZ_CHECK(shape != 3);
  check_body(arguments, *pushed);
}
