#include "server/cli/client_views.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "common/base/rfc3339.hpp"
#include "server/cli/api_call.hpp"
#include "server/cli/json_fields.hpp"
#include "server/cli/output.hpp"

namespace portunus::server::cli {
namespace {

constexpr auto kWidths = std::to_array<std::size_t>({32, 10, 25});

bool is_uri(std::string_view text) {
  return text.starts_with("portunus://") && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("-._~:/?&=%").contains(c);
         });
}

std::expected<void, std::string> write_row(std::ostream& out, const Json& client) {
  Fields fields(client);
  const std::string name = fields.text("client_name");
  const std::string provisioned = fields.text("provisioned_at");
  const bool revoked = fields.optional_text("revoked_at").has_value();
  const bool connected = fields.flag("connected");
  const auto address = fields.optional_text("client_address");
  if (fields.fault()) return std::unexpected(*fields.fault());
  const auto instant = parse_rfc3339(provisioned);
  if (!instant) return std::unexpected("field `provisioned_at` is not RFC 3339");
  print_row(out, kWidths,
            {name, revoked ? "revoked" : (connected ? "connected" : "offline"),
             format_rfc3339_seconds(*instant), address ? std::string_view(*address) : "-"});
  return {};
}

}  // namespace

std::expected<IssuedCode, std::string> issued_code(const Json& answer) {
  Fields fields(answer);
  IssuedCode out;
  out.client_name = fields.text("client_name");
  const std::string expires_at = fields.text("expires_at");
  out.uri = fields.text("uri");
  if (fields.fault()) return std::unexpected(*fields.fault());
  const auto instant = parse_rfc3339(expires_at);
  if (!instant) return std::unexpected("field `expires_at` is not RFC 3339");
  if (!is_uri(out.uri)) return std::unexpected("field `uri` is not an enrollment URI");
  out.expires_at = *instant;
  return out;
}

void print_issued_code(std::ostream& out, const IssuedCode& issued) {
  std::string expires = format_rfc3339(issued.expires_at, " UTC");
  std::ranges::replace(expires.begin(), expires.begin() + 11, 'T', ' ');
  out << "client_name=" << printable(issued.client_name) << "\nexpires_at=" << expires
      << "\nportunus-client enroll '" << issued.uri << "'\n";
}

std::expected<void, std::string> print_renamed(std::ostream& out, const Json& client) {
  Fields fields(client);
  const std::string id = fields.text("client_id");
  const std::string name = fields.text("client_name");
  if (fields.fault()) return std::unexpected(*fields.fault());
  out << "client_id=" << printable(id) << "\nclient_name=" << printable(name) << '\n';
  return {};
}

std::expected<void, std::string> print_clients(std::ostream& out, const Json& clients,
                                               Format format) {
  if (!clients.is_array()) return std::unexpected("expected an array");
  std::ostringstream text;
  print_row(text, kWidths, {"CLIENT", "STATE", "PROVISIONED_AT", "ADDRESS"});
  Json picked = Json::array();
  for (const auto& client : clients) {
    if (auto done = write_row(text, client); !done) return done;
    picked.push_back(
        Fields::pick(client, {"client_id", "client_name", "provisioned_at", "revoked_at",
                              "connected", "client_address", "remote_addr", "connected_at"}));
  }
  out << (format == Format::json ? pretty(picked) : text.str());
  return {};
}

}  // namespace portunus::server::cli
