// Host names, addresses, endpoints, SNI patterns: what operators, files and peers write for a
// place.

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "common/model/names.hpp"
#include "common/model/rule.hpp"
#include "common/net/endpoint.hpp"
#include "common/net/hostname.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace {

namespace model = portunus::model;
namespace net = portunus::net;

bool is_lower(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

void check_hostname(std::string_view text) {
  if (net::check_hostname(text)) return;
  const std::string name = net::normalize_hostname(text);
  FUZZ_CHECK(!net::check_hostname(name));
  FUZZ_CHECK(net::normalize_hostname(name) == name);
  FUZZ_CHECK(!name.empty() && name.size() <= 253 && is_lower(name));
  FUZZ_CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == name.npos);
  FUZZ_CHECK(!net::IpAddress::parse(name));  // nobody can mistake it for an address
  FUZZ_CHECK(net::matches_certificate_name(text, text));
}

void check_target_host(std::string_view text) {
  const auto host = model::parse_target_host(text);
  if (!host) return;
  FUZZ_CHECK(model::parse_target_host(*host) == *host);
  const model::Target target{.host = *host, .port = 443};
  const bool bracketed = host->starts_with('[');
  if (const auto literal = target.literal()) {
    FUZZ_CHECK(literal->address().is_v6() == bracketed);
    FUZZ_CHECK(literal->text() == target.text());
    // What the kernel is given is what it says that it has.
    sockaddr_storage storage{};
    literal->to_sockaddr(storage);
    FUZZ_CHECK(net::Endpoint::from_sockaddr(storage) == *literal);
  } else {
    FUZZ_CHECK(!bracketed && !net::check_hostname(*host) && is_lower(*host));
  }
}

void check_address(std::string_view text) {
  if (const auto address = net::IpAddress::parse(text)) {
    FUZZ_CHECK(net::IpAddress::parse(address->text()) == *address);
  }
  if (const auto endpoint = net::Endpoint::parse(text)) {
    FUZZ_CHECK(net::Endpoint::parse(endpoint->text()) == *endpoint);
    sockaddr_storage storage{};
    endpoint->to_sockaddr(storage);
    FUZZ_CHECK(net::Endpoint::from_sockaddr(storage) == *endpoint);
  }
  if (const auto port = net::parse_port(text)) {
    FUZZ_CHECK(*port != 0 && std::to_string(*port) == text);
  }
}

void check_pattern(std::string_view text) {
  const auto pattern = model::parse_sni_pattern(text);
  if (!pattern) return;
  FUZZ_CHECK(model::parse_sni_pattern(*pattern) == *pattern);
  FUZZ_CHECK(is_lower(*pattern) && pattern->size() <= 253);
  const std::string_view labels = std::string_view(*pattern).substr(pattern->starts_with("*.") * 2);
  FUZZ_CHECK(!labels.contains('*') && !labels.contains("..") && !labels.empty());
}

void check_names(std::string_view text) {
  if (const auto address = model::parse_client_address(text)) {
    FUZZ_CHECK(model::parse_client_address(*address) == *address);
  }
  if (const auto name = model::parse_display_name(text)) {
    FUZZ_CHECK(model::parse_display_name(*name) == *name && name->size() <= 64);
  }
  FUZZ_CHECK(!(model::is_user_id(text) && model::is_reserved_user_id(text)));
  if (model::is_client_name(text)) FUZZ_CHECK(!text.contains("--") && is_lower(text));
}

}  // namespace

PORTUNUS_FUZZ_TARGET(host_grammar)(portunus::fuzz::Input input) {
  const std::string_view text = portunus::fuzz::text_of(input);
  check_hostname(text);
  check_target_host(text);
  check_address(text);
  check_pattern(text);
  check_names(text);
}
