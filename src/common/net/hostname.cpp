#include "common/net/hostname.hpp"

#include <algorithm>

namespace portunus::net {
namespace {

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, to_lower, to_lower);
}

}  // namespace

std::optional<HostnameFault> check_hostname(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty()) return HostnameFault::other;
  if (text.size() > 253) return HostnameFault::too_long;
  bool numeric = true;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find('.', start), text.size());
    const std::string_view label = text.substr(start, end - start);
    if (label.empty()) return HostnameFault::other;
    if (label.size() > 63) return HostnameFault::label_too_long;
    for (char c : label) {
      if (!is_alnum(c) && c != '-') return HostnameFault::other;
      if (c < '0' || c > '9') numeric = false;
    }
    if (label.front() == '-' || label.back() == '-') return HostnameFault::label_hyphen;
    start = end + 1;
  }
  if (numeric) return HostnameFault::other;
  return std::nullopt;
}

std::string normalize_hostname(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  std::string out(text);
  std::ranges::transform(out, out.begin(), to_lower);
  return out;
}

bool matches_certificate_name(std::string_view pattern, std::string_view name) {
  if (equal_ignoring_case(pattern, name)) return true;
  if (!pattern.starts_with("*.")) return false;
  const std::string_view parent = pattern.substr(2);
  const auto dot = name.find('.');
  return parent.contains('.') && dot != std::string_view::npos && dot > 0 &&
         equal_ignoring_case(parent, name.substr(dot + 1));
}

}  // namespace portunus::net
