#include "common/model/rule.hpp"

#include <algorithm>

#include "common/model/names.hpp"

namespace portunus::model {
namespace {

constexpr std::size_t kMaxPattern = 253;

bool is_sni_label(std::string_view label) {
  const auto is_char = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, is_char);
}

}  // namespace

std::string_view protocol_name(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp:
      return "tcp";
    case Protocol::udp:
      return "udp";
  }
  return "";
}

std::string_view proxy_version_name(ProxyVersion version) {
  switch (version) {
    case ProxyVersion::v1:
      return "v1";
    case ProxyVersion::v2:
      return "v2";
  }
  return "";
}

std::optional<net::Endpoint> Target::literal() const {
  std::string_view text = host;
  if (text.starts_with('[')) text = text.substr(1, text.size() - 2);
  const auto address = net::IpAddress::parse(text);
  if (!address) return std::nullopt;
  return net::Endpoint(*address, port);
}

std::expected<std::string, net::HostnameFault> parse_target_host(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    const auto address = net::IpAddress::parse(text.substr(1, text.size() - 2));
    if (!address || !address->is_v6()) return std::unexpected(net::HostnameFault::other);
    return "[" + address->text() + "]";
  }
  if (const auto address = net::IpAddress::parse(text); address && !address->is_v6()) {
    return address->text();
  }
  if (const auto fault = net::check_hostname(text)) return std::unexpected(*fault);
  return net::normalize_hostname(text);
}

std::optional<std::string> parse_sni_pattern(std::string_view text) {
  std::string pattern(trim(text));
  std::ranges::transform(pattern, pattern.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  if (pattern.empty() || pattern.size() > kMaxPattern) return std::nullopt;
  std::string_view labels = pattern;
  const bool wildcard = labels.starts_with("*.");
  if (wildcard) labels.remove_prefix(2);
  std::size_t count = 0;
  for (std::size_t at = 0; at <= labels.size(); ++count) {
    const std::size_t dot = std::min(labels.find('.', at), labels.size());
    if (!is_sni_label(labels.substr(at, dot - at))) return std::nullopt;
    at = dot + 1;
  }
  if (wildcard && count < 2) return std::nullopt;
  return pattern;
}

}  // namespace portunus::model
