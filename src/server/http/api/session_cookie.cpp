#include "server/http/api/session_cookie.hpp"

#include <string_view>
#include <utility>

namespace portunus::server::http::api {
namespace {

constexpr std::string_view kName = "portunus_session=";
constexpr std::string_view kLifeSeconds = "604800";

std::optional<std::string_view> find_value(std::string_view cookies) {
  while (!cookies.empty()) {
    const std::size_t end = cookies.find(';');
    std::string_view pair = cookies.substr(0, end);
    cookies.remove_prefix(end == std::string_view::npos ? cookies.size() : end + 1);
    while (pair.starts_with(' ') || pair.starts_with('\t')) pair.remove_prefix(1);
    while (pair.ends_with(' ') || pair.ends_with('\t')) pair.remove_suffix(1);
    if (pair.starts_with(kName)) return pair.substr(kName.size());
  }
  return std::nullopt;
}

void set_cookie(Response& response, std::string_view value, std::string_view max_age, bool secure) {
  std::string text(kName);
  text.append(value).append("; Path=/; HttpOnly; SameSite=Lax; Max-Age=").append(max_age);
  if (secure) text.append("; Secure");
  response.headers.push_back({"Set-Cookie", std::move(text)});
}

}  // namespace

std::optional<Secret> session_cookie(const Request& request) {
  for (const Header& header : request.headers) {
    if (!equal_ignoring_case(header.name, "cookie")) continue;
    if (const auto value = find_value(header.value)) return Secret(std::string(*value));
  }
  return std::nullopt;
}

void set_session_cookie(Response& response, const Secret& secret, bool secure) {
  set_cookie(response, secret.reveal(), kLifeSeconds, secure);
}

void clear_session_cookie(Response& response, bool secure) {
  set_cookie(response, "", "0", secure);
}

}  // namespace portunus::server::http::api
