#include "client/agent/enroll_uri.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "client/agent/bundle.hpp"
#include "client/agent/errc.hpp"
#include "common/base/hex.hpp"
#include "common/crypto/certificate.hpp"

namespace portunus::client::agent {
namespace {

using Fields = std::map<std::string_view, std::string_view>;

constexpr std::string_view kScheme = "portunus://";
constexpr std::string_view kPath = "/enroll";
constexpr std::string_view kPinPrefix = "sha256:";

/// Split at "&" and the first "="; the last value of a repeated key counts.
Result<Fields> parse_query(std::string_view query) {
  Fields out;
  for (;;) {
    const auto end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) return fail(Errc::uri_pair);
    out[pair.substr(0, equals)] = pair.substr(equals + 1);
    if (end == std::string_view::npos) return out;
    query.remove_prefix(end + 1);
  }
}

Result<ServerAddress> parse_location(std::string_view location) {
  if (!location.ends_with(kPath)) return fail(Errc::uri_path);
  auto server = ServerAddress::parse(location.substr(0, location.size() - kPath.size()));
  if (!server) return fail(Errc::uri_path);
  return server;
}

Result<std::string> parse_certificate(std::string_view text) {
  const auto bytes = base64url_decode(text);
  if (!bytes) return fail(Errc::uri_certificate);
  std::string pem(bytes->begin(), bytes->end());
  if (!crypto::certificate_fingerprint(pem)) return fail(Errc::uri_certificate);
  return pem;
}

bool is_code(std::string_view text) {
  return text.size() <= 256 &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

Result<EnrollUri> parse_enroll_uri(std::string_view uri) {
  if (!uri.starts_with(kScheme)) return fail(Errc::uri_scheme);
  uri.remove_prefix(kScheme.size());
  const auto question = uri.find('?');
  if (question == std::string_view::npos) return fail(Errc::uri_query);

  EnrollUri out;
  auto server = parse_location(uri.substr(0, question));
  if (!server) return fail(server.error());
  out.server = std::move(*server);

  const auto fields = parse_query(uri.substr(question + 1));
  if (!fields) return fail(fields.error());
  const auto field = [&](std::string_view key) {
    const auto it = fields->find(key);
    return it == fields->end() ? std::string_view{} : it->second;
  };
  for (const char* key : {"pin", "code"}) {
    if (field(key).empty()) return fail({Errc::uri_field, key});
  }
  if (!field("pin").starts_with(kPinPrefix)) return fail(Errc::uri_pin);
  out.pin = parse_pin(field("pin").substr(kPinPrefix.size()));
  if (out.pin.empty()) return fail(Errc::uri_pin);
  if (!is_code(field("code"))) return fail(Errc::uri_code);
  out.code = Secret(std::string(field("code")));
  if (fields->contains("cert")) {
    auto pem = parse_certificate(field("cert"));
    if (!pem) return fail(pem.error());
    out.certificate_pem = std::move(*pem);
  }
  return out;
}

}  // namespace portunus::client::agent
