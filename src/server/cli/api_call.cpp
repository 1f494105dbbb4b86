#include "server/cli/api_call.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "server/cli/output.hpp"
#include "server/http/url.hpp"

namespace portunus::server::cli {
namespace {

Json parse_quietly(const std::string& text) {
  return Json::parse(text, nullptr, false);
}

std::optional<ApiFailure> envelope(const std::string& body) {
  const Json answer = parse_quietly(body);
  if (!answer.is_object()) return std::nullopt;
  const auto error = answer.find("error");
  if (error == answer.end() || !error->is_object()) return std::nullopt;
  const auto code = error->find("code");
  const auto message = error->find("message");
  if (code == error->end() || !code->is_string() || message == error->end() ||
      !message->is_string()) {
    return std::nullopt;
  }
  return ApiFailure{ApiFailure::Kind::refused, message->get<std::string>(),
                    code->get<std::string>()};
}

ApiResult<ApiResponse> succeed(const ApiClient& client, const ApiRequest& request) {
  auto response = client.send(request);
  if (!response) {
    return std::unexpected(
        ApiFailure{ApiFailure::Kind::transport, std::move(response.error()), {}});
  }
  if (response->status >= 200 && response->status < 300) return std::move(*response);
  if (auto refusal = envelope(response->body)) return std::unexpected(std::move(*refusal));
  std::string status = std::to_string(response->status);
  if (!response->reason.empty()) status += " " + response->reason;
  return std::unexpected(ApiFailure{ApiFailure::Kind::status, std::move(status), {}});
}

}  // namespace

std::string ApiFailure::line() const {
  switch (kind) {
    case Kind::transport:
      return "http: " + text;
    case Kind::refused:
      return code + " (" + text + ")";
    case Kind::status:
      return "server returned " + text;
    case Kind::body:
      return "parse response: " + text;
  }
  return text;
}

int ApiFailure::exit(CommandGroup group) const {
  return kind == Kind::refused ? exit_code(group, code) : kExitFailure;
}

ApiResult<std::string> client_path(const std::string& client, std::string_view rest) {
  if (client.empty()) {
    return std::unexpected(ApiFailure{ApiFailure::Kind::refused, "\"\"", "invalid_name"});
  }
  return "/v1/clients/" + http::percent_encode(client) + std::string(rest);
}

ApiRequest with_body(ApiMethod method, std::string target, const Json& body) {
  return {method, std::move(target), body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

ApiResult<Json> call(const ApiClient& client, const ApiRequest& request) {
  auto response = succeed(client, request);
  if (!response) return std::unexpected(std::move(response.error()));
  try {
    return Json::parse(response->body);
  } catch (const Json::parse_error& error) {
    return unusable(error.what());
  }
}

ApiResult<void> call_without_answer(const ApiClient& client, const ApiRequest& request) {
  auto response = succeed(client, request);
  if (!response) return std::unexpected(std::move(response.error()));
  return {};
}

int report(std::ostream& err, const ApiFailure& failure, CommandGroup group) {
  print_error(err, failure.line());
  return failure.exit(group);
}

std::string pretty(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace portunus::server::cli
