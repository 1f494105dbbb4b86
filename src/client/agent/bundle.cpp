#include "client/agent/bundle.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "client/agent/errc.hpp"
#include "common/base/hex.hpp"
#include "common/base/ulid.hpp"
#include "common/crypto/certificate.hpp"
#include "common/model/names.hpp"

namespace portunus::client::agent {
namespace {

using Json = nlohmann::json;
using Refusal = std::unexpected<BundleRefusal>;

Refusal refuse(Errc code, std::string detail) {
  return Refusal({Error(code, std::move(detail)), {}, {}});
}

/// A string member; `std::nullopt` when it is absent and an error when it is something else.
std::expected<std::optional<std::string>, BundleRefusal> text_member(const Json& object,
                                                                     const char* key) {
  const auto it = object.find(key);
  if (it == object.end()) return std::nullopt;
  if (!it->is_string()) {
    return refuse(Errc::bundle_malformed, std::string(key) + " is not a string");
  }
  return it->get<std::string>();
}

std::expected<std::string, BundleRefusal> required(const Json& object, const char* key) {
  auto value = text_member(object, key);
  if (!value) return Refusal(std::move(value.error()));
  if (!*value) return refuse(Errc::bundle_malformed, "missing field " + std::string(key));
  return std::move(**value);
}

std::optional<BundleRefusal> check_version(const Json& object) {
  const auto it = object.find("version");
  if (it == object.end()) return std::nullopt;
  if (!it->is_number_integer()) {
    return refuse(Errc::bundle_malformed, "version is not an integer").error();
  }
  if (*it != 1) return refuse(Errc::bundle_version, it->dump()).error();
  return std::nullopt;
}

std::optional<BundleRefusal> check_certificate(const std::string& pem, const std::string& pin) {
  if (pem.empty()) return std::nullopt;
  const auto got = crypto::certificate_fingerprint(pem);
  if (!got) return refuse(Errc::bundle_malformed, "server_cert_pem: " + got.error().text()).error();
  if (*got == pin) return std::nullopt;
  return BundleRefusal{Error(Errc::bundle_pin, "expected " + pin + ", got " + *got), pin, *got};
}

std::expected<Bundle, BundleRefusal> read_members(const Json& object) {
  Bundle out;
  auto name = required(object, "client_name");
  if (!name) return Refusal(std::move(name.error()));
  if (!is_acceptable_client_name(*name)) return refuse(Errc::bundle_malformed, "client_name");
  out.client_name = std::move(*name);

  auto id = text_member(object, "client_id");
  if (!id) return Refusal(std::move(id.error()));
  out.client_id = std::move(*id).value_or("");
  if (!out.client_id.empty() && !is_ulid(out.client_id)) {
    return refuse(Errc::bundle_malformed, "client_id is not a ULID");
  }

  const auto endpoint = required(object, "server_endpoint");
  if (!endpoint) return Refusal(endpoint.error());
  auto server = ServerAddress::parse(*endpoint);
  if (!server) return refuse(Errc::bundle_malformed, server.error().text());
  out.server = std::move(*server);

  const auto pin = required(object, "server_cert_sha256");
  if (!pin) return Refusal(pin.error());
  out.pin = parse_pin(*pin);
  if (out.pin.empty()) return refuse(Errc::bundle_malformed, "server_cert_sha256 is not 64 hex");

  auto token = required(object, "token");
  if (!token) return Refusal(std::move(token.error()));
  if (!is_acceptable_token(*token)) return refuse(Errc::bundle_malformed, "token");
  out.token = Secret(std::move(*token));

  auto pem = text_member(object, "server_cert_pem");
  if (!pem) return Refusal(std::move(pem.error()));
  out.certificate_pem = std::move(*pem).value_or("");
  if (auto refusal = check_certificate(out.certificate_pem, out.pin)) {
    return Refusal(std::move(*refusal));
  }
  return out;
}

}  // namespace

bool is_acceptable_client_name(std::string_view name) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  return name.size() <= 255 && !model::trim(name).empty() && std::ranges::none_of(name, is_control);
}

std::string parse_pin(std::string_view text) {
  const auto bytes = hex_decode(text);
  return bytes && bytes->size() == 32 ? hex_encode(*bytes) : std::string{};
}

bool is_acceptable_token(std::string_view token) {
  return !token.empty() && token.size() <= 4096 &&
         std::ranges::all_of(token, [](char c) { return c >= ' ' && c <= '~'; });
}

std::expected<Bundle, BundleRefusal> parse_bundle(std::string_view json) {
  const Json object = Json::parse(json, nullptr, false);
  if (object.is_discarded()) return refuse(Errc::bundle_malformed, "not JSON");
  if (!object.is_object()) return refuse(Errc::bundle_malformed, "not a JSON object");
  if (auto refusal = check_version(object)) return Refusal(std::move(*refusal));
  return read_members(object);
}

std::string bundle_text(const Bundle& bundle) {
  nlohmann::ordered_json out;
  out["version"] = 1;
  out["client_name"] = bundle.client_name;
  if (!bundle.client_id.empty()) out["client_id"] = bundle.client_id;
  out["server_endpoint"] = bundle.server.text();
  out["server_cert_sha256"] = bundle.pin;
  if (!bundle.certificate_pem.empty()) out["server_cert_pem"] = bundle.certificate_pem;
  out["token"] = bundle.token.reveal();
  // Every member was checked; a name that is no UTF-8 is repaired rather than thrown at.
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace portunus::client::agent
