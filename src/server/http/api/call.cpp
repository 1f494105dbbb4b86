#include "server/http/api/call.hpp"

#include <charconv>
#include <utility>

#include "server/http/api/errc.hpp"

namespace portunus::server::http::api {
namespace {

/// application/json or application/*+json, parameters allowed.
bool is_json(std::string_view media_type) {
  std::string_view type = media_type.substr(0, media_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  constexpr std::string_view kPrefix = "application/";
  if (type.size() <= kPrefix.size() ||
      !equal_ignoring_case(type.substr(0, kPrefix.size()), kPrefix)) {
    return false;
  }
  const std::string_view subtype = type.substr(kPrefix.size());
  if (equal_ignoring_case(subtype, "json")) return true;
  return subtype.size() > 5 && equal_ignoring_case(subtype.substr(subtype.size() - 5), "+json");
}

}  // namespace

Result<RuleId> Call::rule_id() const {
  const std::string_view text = params.get("rule_id");
  RuleId id;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), id.value);
  if (ec != std::errc() || end != text.data() + text.size()) return fail(Errc::invalid_path);
  return id;
}

Result<Query> Call::query() const {
  auto parsed = Query::parse(request.query);
  if (!parsed) return fail(Errc::invalid_query);
  return std::move(*parsed);
}

async::Task<Result<std::string>> Call::json_body() const {
  return api::json_body(request);
}

async::Task<Result<std::string>> json_body(const Request& request) {
  const auto type = request.header("content-type");
  if (!type || !is_json(*type)) co_return fail(Errc::unsupported_media_type);
  co_return co_await request.body->read();
}

Response json_response(std::string body, unsigned status) {
  return make_response(status, "application/json", std::move(body));
}

}  // namespace portunus::server::http::api
