#include "common/model/names.hpp"

#include <algorithm>

#include "common/net/endpoint.hpp"
#include "common/net/hostname.hpp"

namespace portunus::model {
namespace {

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_lower_alnum(char c) {
  return is_lower(c) || (c >= '0' && c <= '9');
}
bool is_id_char(char c) {
  return is_lower_alnum(c) || c == '_' || c == '-';
}

}  // namespace

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool is_client_name(std::string_view text) {
  return !text.empty() && text.size() <= 63 && is_lower_alnum(text.front()) &&
         is_lower_alnum(text.back()) && !text.contains("--") &&
         std::ranges::all_of(text, [](char c) { return is_lower_alnum(c) || c == '-'; });
}

bool is_user_id(std::string_view text) {
  return !text.empty() && text.size() <= 32 && is_lower(text.front()) &&
         std::ranges::all_of(text, is_id_char);
}

bool is_reserved_user_id(std::string_view text) {
  return text.size() >= 2 && text.size() <= 32 && text.front() == '_' &&
         std::ranges::all_of(text, is_id_char);
}

std::optional<std::string> parse_display_name(std::string_view text) {
  text = trim(text);
  if (text.empty() || text.size() > 64) return std::nullopt;
  return std::string(text);
}

std::optional<std::string> parse_client_address(std::string_view text) {
  text = trim(text);
  if (const auto address = net::IpAddress::parse(text)) return address->text();
  if (net::check_hostname(text)) return std::nullopt;
  return net::normalize_hostname(text);
}

}  // namespace portunus::model
