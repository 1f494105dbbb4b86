#include "portal/config/portal_url.hpp"

#include <algorithm>
#include <charconv>

#include "common/base/hex.hpp"
#include "common/base/utf8.hpp"
#include "common/net/endpoint.hpp"
#include "portal/config/errc.hpp"

namespace portunus::portal::config {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Blanks around it are cut off, line ends and tabs within it left out (portal 2).
std::string cleaned(std::string_view text) {
  const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= 0x20; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  std::string out;
  for (const char c : text) {
    if (c != '\t' && c != '\r' && c != '\n') out.push_back(c);
  }
  return out;
}

/// RFC 3986 section 3.1, in lower case as it says; empty when it is none.
std::string scheme_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool letter = lower >= 'a' && lower <= 'z';
    const bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    if (!letter && (out.empty() || !other)) return {};
    out.push_back(lower);
  }
  return out;
}

/// What can be looked up: visible ASCII without the characters that mean something in a URL.
bool is_host_name(std::string_view host) {
  return std::ranges::none_of(host, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte >= 0x7f ||
           std::string_view("\"#%/:<>?@[\\]^`{|}").find(c) != std::string_view::npos;
  });
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size();
}

/// The first bytes that are no sequence, as one replacement (the WHATWG's "maximal subpart" would
/// join some; nothing here depends on how many there are).
std::string utf8_lossy(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = utf8_sequence_length(text);
    out += size == 0 ? kReplacement : text.substr(0, size);
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

Error bad_url(const char* why) {
  return Error(Errc::bad_url, why);
}

}  // namespace

std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high >= 0 && low >= 0) {
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
        continue;
      }
    }
    out.push_back(text[i]);
  }
  return out;
}

std::string form_decode(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  return utf8_lossy(percent_decode(spaced));
}

Result<PortalUrl> PortalUrl::parse(std::string_view raw) {
  const std::string text = cleaned(raw);
  std::string_view rest = text;
  PortalUrl url;
  const std::size_t colon = rest.find("://");
  if (colon == rest.npos) return fail(bad_url("expected portal://<shared-key>@<host>:<port>"));
  url.scheme_ = scheme_of(rest.substr(0, colon));
  if (url.scheme_.empty()) return fail(bad_url("malformed scheme"));
  rest.remove_prefix(colon + 3);

  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  if (auto read = url.read_authority(rest.substr(0, end)); !read) return fail(read.error());
  rest.remove_prefix(end);
  rest = rest.substr(0, rest.find('#'));
  if (const std::size_t query = rest.find('?'); query != rest.npos) {
    url.read_query(rest.substr(query + 1));
  }
  return url;
}

Result<> PortalUrl::read_authority(std::string_view authority) {
  if (const std::size_t at = authority.rfind('@'); at != authority.npos) {
    userinfo_ = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  std::size_t colon = authority.find(':');
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == authority.npos) return fail(bad_url("unterminated IPv6 host"));
    const auto address = net::IpAddress::parse(authority.substr(1, bracket - 1));
    if (!address || !address->is_v6()) return fail(bad_url("malformed IPv6 host"));
    host_ = address->text();
    colon = bracket + 1;
    if (colon < authority.size() && authority[colon] != ':') {
      return fail(bad_url("unexpected text after the IPv6 host"));
    }
  } else {
    host_ = authority.substr(0, colon);
    if (!is_host_name(host_)) return fail(bad_url("malformed host"));
  }
  if (colon >= authority.size()) return {};
  port_ = authority.substr(colon + 1);
  if (!port_->empty() && !is_port(*port_)) return fail(bad_url("port must be 0..65535"));
  return {};
}

void PortalUrl::read_query(std::string_view query) {
  while (true) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    query_.emplace_back(pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size())));
    if (end == query.size()) return;
    query.remove_prefix(end + 1);
  }
}

std::optional<std::string> PortalUrl::form(std::string_view name) const {
  for (const auto& [key, value] : query_) {
    if (form_decode(key) == name) return form_decode(value);
  }
  return std::nullopt;
}

std::expected<std::optional<std::string>, PortalUrl::NotUtf8> PortalUrl::strict(
    std::string_view name) const {
  for (const auto& [key, value] : query_) {
    const std::string decoded = percent_decode(key);
    if (!is_utf8(decoded)) return std::unexpected(NotUtf8{});
    if (decoded != name) continue;
    std::string text = percent_decode(value);
    if (!is_utf8(text)) return std::unexpected(NotUtf8{});
    return text;
  }
  return std::nullopt;
}

}  // namespace portunus::portal::config
