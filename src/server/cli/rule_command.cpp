#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "server/cli/api_call.hpp"
#include "server/cli/arguments.hpp"
#include "server/cli/json_fields.hpp"
#include "server/cli/output.hpp"
#include "server/cli/rule_arguments.hpp"
#include "server/cli/rule_views.hpp"
#include "server/http/url.hpp"

namespace portunus::server::cli {
namespace {

constexpr std::string_view kActivationFailed = "activation_failed";
constexpr std::string_view kPortInUse = "port_in_use";

struct PushOptions {
  PushArguments rule;
  ApiEndpoint endpoint;
};

/// max(30 s, the edge's time to answer + 5 s), whatever number was typed.
std::chrono::milliseconds push_limit(const Context& context, std::uint64_t ack_timeout_secs) {
  constexpr std::uint64_t kLongest = 1'000'000'000;
  const std::chrono::seconds ack(std::min(ack_timeout_secs, kLongest));
  return std::max(context.limits.rule_total,
                  std::chrono::milliseconds(ack + std::chrono::seconds(5)));
}

/// The edge found the port taken: to the operator the same as a port that another rule holds
/// (cli-and-config 2.5). The reason is "port_in_use" or "port_in_use:<port>"; older edges say
/// "bind_failed:port_in_use" for an SNI port (control-wire 6.1).
std::optional<ApiFailure> as_port_in_use(const ApiFailure& failure, std::uint16_t listen_port) {
  if (failure.kind != ApiFailure::Kind::refused || failure.code != kActivationFailed) {
    return std::nullopt;
  }
  std::string_view reason = failure.text;
  if (reason.starts_with("activation_failed: ")) reason.remove_prefix(kActivationFailed.size() + 2);
  if (reason.starts_with("bind_failed:")) reason.remove_prefix(reason.find(':') + 1);
  if (!reason.starts_with(kPortInUse)) return std::nullopt;
  reason.remove_prefix(kPortInUse.size());
  std::uint16_t port = listen_port;
  if (reason.starts_with(':')) {
    std::from_chars(reason.data() + 1, reason.data() + reason.size(), port);
  }
  return ApiFailure{ApiFailure::Kind::refused,
                    "port_in_use: port " + std::to_string(port) + " already in use",
                    std::string(kPortInUse)};
}

int push_rule(Context& context, const PushOptions& options) {
  const auto body = make_push_body(options.rule);
  if (!body) {
    print_error(context.err, body.error().text);
    return body.error().exit;
  }
  const ApiClient client =
      api_client(context, options.endpoint, push_limit(context, options.rule.ack_timeout_secs));
  const auto answer = call(client, {ApiMethod::post, "/v1/rules", body->json});
  if (!answer) {
    const auto taken = as_port_in_use(answer.error(), body->listen_port);
    return report(context.err, taken ? *taken : answer.error(), CommandGroup::rule);
  }
  Fields fields(*answer);
  const std::uint64_t id = fields.number("rule_id");
  if (fields.fault()) {
    return report(context.err, unusable(*fields.fault()).error(), CommandGroup::rule);
  }
  context.out << id << '\n';
  return kExitOk;
}

void add_push_flags(CLI::App& app, PushArguments& rule) {
  add_text(app, "--protocol", "tcp (default) or udp", rule.protocol);
  add_number(app, "--ack-timeout", "Seconds to wait for the edge (default 2)",
             rule.ack_timeout_secs);
  add_switch(app, "--prefer-ipv6", "Dial IPv6 addresses of a host name first", rule.prefer_ipv6);
  add_text(app, "--sni", "Only TLS connections that ask for this host name", rule.sni);
  CLI::Option* several =
      app.add_option("--target", rule.targets, "One of several targets; repeat the flag")
          ->allow_extra_args(false)
          ->type_name("HOST:PORT[@PRIORITY]");
  add_text(app, "--targets-json", "The same as a JSON array", rule.targets_json)
      ->type_name("JSON")
      ->excludes(several);
  add_number(app, "--health-check-interval-secs", "Probe several targets this often (1..3600)",
             rule.health_check_interval_secs);
  add_cap_flags(app, rule.caps);
}

void add_push(Commands& commands) {
  const auto options = std::make_shared<PushOptions>();
  CLI::App& app = commands.add(
      "push-rule", "Forward a port of an edge to a target",
      "Prints the rule's id.\n\nExamples:\n"
      "  portunus-server push-rule edge-01 8080 10.0.1.5:80\n"
      "  portunus-server push-rule edge-01 8443 '[2001:db8::5]:443' --ack-timeout 10\n"
      "  portunus-server push-rule edge-01 30000-30100 game.lan:30000-30100 --protocol udp\n"
      "  portunus-server push-rule edge-01 443 --sni '*.example.com' --target a.lan:8443 "
      "--target b.lan:8443 --health-check-interval-secs 10",
      [options](Context& context, const Globals&) { return push_rule(context, *options); });
  add_operand(app, "client", "Name or id of the edge", options->rule.client);
  add_operand(app, "listen", "Port, or first-last", options->rule.listen);
  add_text(app, "target", "host:port, or host:first-last", options->rule.target)->type_name("");
  add_push_flags(app, options->rule);
  add_http_endpoint(app, options->endpoint);
}

struct RuleOptions {
  std::uint64_t id = 0;
  std::optional<std::string> client;
  Format format = Format::text;
  StatsDetail detail;
  ApiEndpoint endpoint;
};

int remove_rule(Context& context, const RuleOptions& options) {
  const auto done = call_without_answer(
      api_client(context, options.endpoint, context.limits.rule_total),
      {ApiMethod::remove, "/v1/rules/" + std::to_string(options.id), std::nullopt});
  return done ? kExitOk : report(context.err, done.error(), CommandGroup::rule);
}

/// GETs `target` and prints it by `print`, which says why when it cannot.
template <class Print>
int show(Context& context, const RuleOptions& options, std::string target, Print print) {
  const auto answer = call(api_client(context, options.endpoint, context.limits.rule_total),
                           {ApiMethod::get, std::move(target), std::nullopt});
  if (!answer) return report(context.err, answer.error(), CommandGroup::rule);
  const std::expected<void, std::string> printed = print(*answer);
  if (printed) return kExitOk;
  return report(context.err, unusable(printed.error()).error(), CommandGroup::rule);
}

int list_rules(Context& context, const RuleOptions& options) {
  std::string target = "/v1/rules";
  if (options.client) target += "?client=" + http::percent_encode(*options.client);
  return show(context, options, std::move(target),
              [&](const Json& rules) { return print_rules(context.out, rules, options.format); });
}

int rule_stats(Context& context, const RuleOptions& options) {
  std::string target = "/v1/rules/" + std::to_string(options.id) + "/stats";
  std::string_view separator = "?";
  if (options.detail.per_port) {
    target += "?per_port=true";
    separator = "&";
  }
  if (options.detail.per_target) target += std::string(separator) + "per_target=true";
  return show(context, options, std::move(target), [&](const Json& stats) {
    return print_stats(context.out, stats, options.format, options.detail);
  });
}

}  // namespace

void add_rule_commands(Commands& commands) {
  add_push(commands);

  const auto removal = std::make_shared<RuleOptions>();
  CLI::App& remove = commands.add(
      "remove-rule", "Take a rule away",
      "Its listener closes at once; connections in progress may finish.\n\nExample:\n"
      "  portunus-server remove-rule 7",
      [removal](Context& context, const Globals&) { return remove_rule(context, *removal); });
  add_number(remove, "rule_id", "Id of the rule", removal->id)->required()->type_name("");
  add_http_endpoint(remove, removal->endpoint);

  const auto listing = std::make_shared<RuleOptions>();
  CLI::App& list = commands.add(
      "list-rules", "Show the rules and their states",
      "Example:\n  portunus-server list-rules --client edge-01 --format json",
      [listing](Context& context, const Globals&) { return list_rules(context, *listing); });
  add_text(list, "--client", "Only those of this edge (name or id)", listing->client);
  add_format(list, listing->format);
  add_http_endpoint(list, listing->endpoint);

  const auto reading = std::make_shared<RuleOptions>();
  CLI::App& stats = commands.add(
      "rule-stats", "Show what a rule has forwarded",
      "The numbers are those of the edge's last report.\n\nExample:\n"
      "  portunus-server rule-stats 7 --format json",
      [reading](Context& context, const Globals&) { return rule_stats(context, *reading); });
  add_number(stats, "rule_id", "Id of the rule", reading->id)->required()->type_name("");
  add_switch(stats, "--per-port", "One line per port of a range", reading->detail.per_port);
  add_switch(stats, "--per-target", "One line per target", reading->detail.per_target);
  add_format(stats, reading->format);
  add_http_endpoint(stats, reading->endpoint);
}

}  // namespace portunus::server::cli
