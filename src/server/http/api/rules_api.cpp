#include <memory>
#include <utility>

#include "common/async/yield.hpp"
#include "common/model/names.hpp"
#include "server/auth/errc.hpp"
#include "server/http/api/request_json.hpp"
#include "server/http/api/routes.hpp"
#include "server/http/api/rule_json.hpp"
#include "server/http/api/stats_stream.hpp"
#include "server/rules/errc.hpp"

namespace portunus::server::http::api {
namespace {

/// What is wrong with a client, said as all operations on rules say it (http-api 1).
Error of_rules(const Error& error, const std::string& client) {
  if (error == auth::Errc::invalid_name) return {rules::Errc::invalid_name, client};
  if (error == auth::Errc::client_not_found) return {rules::Errc::client_not_found, client};
  return error;
}

}  // namespace

async::Task<Result<Response>> list_rules(const Call& call) {
  const Result<Query> query = call.query();
  if (!query) co_return fail(query.error());
  rules::RuleFilter filter;
  filter.client_name = query->get("client");
  if (filter.client_name && model::trim(*filter.client_name).empty()) filter.client_name.reset();
  if (filter.client_name) {
    auto resolved = co_await call.services.clients.resolve(*filter.client_name);
    if (!resolved) co_return fail(of_rules(resolved.error(), *filter.client_name));
    filter.client_name = std::move(resolved->name);
  }
  const rules::Actor actor = call.actor();
  filter.owner_id = query->get("owner");
  if (filter.owner_id && (filter.owner_id->empty() || !actor.superadmin)) filter.owner_id.reset();
  ListText text;
  // A rule that comes or goes while the others are written is in the list or is not.
  std::optional<RuleId> after = RuleId{};
  while (after) {
    if (after->value > 0) co_await async::yield();
    const auto page = call.services.rules.list(actor, filter, *after, kObjectsPerPart);
    for (const rules::RuleView& rule : page.rules) text.add(rule_json(rule));
    after = page.next;
  }
  co_return json_response(std::move(text).finish());
}

async::Task<Result<Response>> push_rule(const Call& call) {
  const Result<std::string> body = co_await call.json_body();
  if (!body) co_return fail(body.error());
  Result<rules::PushRequest> asked = decode_push(*body);
  if (!asked) co_return fail(asked.error());
  const auto rule = co_await call.services.rules.push(call.actor(), std::move(*asked));
  if (!rule) co_return fail(rule.error());
  co_return json_response(pushed_json(*rule), 201);
}

async::Task<Result<Response>> update_rule(const Call& call) {
  const Result<RuleId> id = call.rule_id();
  if (!id) co_return fail(id.error());
  const Result<std::string> body = co_await call.json_body();
  if (!body) co_return fail(body.error());
  Result<rules::PushRequest> asked = decode_push(*body);
  if (!asked) co_return fail(asked.error());
  const auto rule = co_await call.services.rules.update(call.actor(), *id, std::move(*asked));
  if (!rule) co_return fail(rule.error());
  co_return json_response(pushed_json(*rule));
}

async::Task<Result<Response>> delete_rule(const Call& call) {
  const Result<RuleId> id = call.rule_id();
  if (!id) co_return fail(id.error());
  const Result<> done = co_await call.services.rules.remove(call.actor(), *id);
  if (!done) co_return fail(done.error());
  co_return no_content();
}

async::Task<Result<Response>> get_rule_stats(const Call& call) {
  const Result<RuleId> id = call.rule_id();
  if (!id) co_return fail(id.error());
  const Result<Query> query = call.query();
  if (!query) co_return fail(query.error());
  const auto stats = call.services.rules.stats(call.actor(), *id);
  if (!stats) co_return fail(stats.error());
  const StatsDetail detail{.per_port = query->flag("per_port"),
                           .per_target = query->flag("per_target")};
  co_return json_response(stats_json(*stats, detail));
}

async::Task<Result<Response>> stream_rule_stats(const Call& call) {
  const Result<RuleId> id = call.rule_id();
  if (!id) co_return fail(id.error());
  const Result<Query> query = call.query();
  if (!query) co_return fail(query.error());
  auto subscription = call.services.rules.watch(call.actor(), *id);
  if (!subscription) co_return fail(subscription.error());
  Response response = make_response(200, "text/event-stream", "");
  response.headers.push_back({"Cache-Control", "no-cache"});
  response.stream =
      std::make_shared<StatsStream>(std::move(*subscription), query->flag("per_target"));
  co_return response;
}

}  // namespace portunus::server::http::api
