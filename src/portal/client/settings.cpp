#include "portal/client/settings.hpp"

#include <fmt/format.h>

#include "common/base/hex.hpp"
#include "portal/client/errc.hpp"
#include "portal/config/portal_config.hpp"
#include "portal/config/portal_url.hpp"

namespace portunus::portal::client {
namespace {

Result<> choose_trust(const std::optional<std::string>& url_pin, const ClientOptions& options,
                      ClientSettings& settings) {
  const std::optional<std::string>& pin = options.pin ? options.pin : url_pin;
  if (pin && !pin->empty()) {
    if (options.insecure) return fail(Errc::trust_conflict);
    Result<std::string> normal = normalize_pin(*pin);
    if (!normal) return fail(normal.error());
    settings.trust = Trust::pin;
    settings.pin = std::move(*normal);
  } else if (options.pin) {
    return fail(Errc::bad_pin);  // given and empty
  } else if (options.insecure) {
    settings.trust = Trust::anything;
  }
  return {};
}

}  // namespace

Result<std::string> normalize_pin(std::string_view text) {
  const auto bytes = hex_decode(text);
  if (!bytes || bytes->size() != 32) return fail(Errc::bad_pin);
  return hex_encode(*bytes);
}

std::string ClientSettings::endpoint_text() const {
  const bool bracket = host.find(':') != std::string::npos;
  return bracket ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<ClientSettings> read_client_settings(std::string_view url, const ClientOptions& options) {
  const Result<config::PortalUrl> parts = config::PortalUrl::parse(url);
  if (!parts) return fail(parts.error());
  Result<config::PortalConfig> config = config::read_portal_config(*parts);
  if (!config) return fail(config.error());
  if (config->host.empty()) return fail(Errc::no_host);
  if (config->port == 0) return fail(Errc::no_port);
  if (options.pool > WarmPool::kMostSlots) return fail(Errc::bad_pool_size);

  ClientSettings settings;
  settings.key = std::move(config->key);
  settings.host = std::move(config->host);
  settings.port = config->port;
  settings.spec = std::move(config->spec);
  settings.alpn = std::move(config->alpn);
  settings.pool = options.pool;
  if (const Result<> trust = choose_trust(parts->form("pin"), options, settings); !trust) {
    return fail(trust.error());
  }
  return settings;
}

}  // namespace portunus::portal::client
