#include "common/config/origin.hpp"

#include <algorithm>
#include <string>

#include "common/net/endpoint.hpp"

namespace portunus::config {
namespace {

bool is_label(std::string_view label) {
  return !label.empty() && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-';
         });
}

bool is_name(std::string_view host) {
  // Digits and dots alone can only mean an address, so they must be one.
  if (host.find_first_not_of("0123456789.") == std::string_view::npos) {
    const auto address = net::IpAddress::parse(host);
    return address && !address->is_v6();
  }
  while (true) {
    const auto dot = host.find('.');
    if (!is_label(host.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
}

bool is_bracketed_v6(std::string_view host) {
  if (host.size() < 3 || host.front() != '[' || host.back() != ']') return false;
  const auto address = net::IpAddress::parse(host.substr(1, host.size() - 2));
  return address && address->is_v6();
}

}  // namespace

bool is_public_origin(std::string_view text) {
  if (text.starts_with("https://")) {
    text.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    text.remove_prefix(7);
  } else {
    return false;
  }
  std::string_view host = text;
  const auto colon = text.rfind(':');
  const auto bracket = text.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (has_port) {
    if (!net::parse_port(text.substr(colon + 1))) return false;
    host = text.substr(0, colon);
  }
  return host.starts_with('[') ? is_bracketed_v6(host) : is_name(host);
}

}  // namespace portunus::config
