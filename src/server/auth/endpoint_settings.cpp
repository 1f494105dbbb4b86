#include "server/auth/endpoint_settings.hpp"

#include <utility>

#include "server/store/settings_store.hpp"

namespace portunus::server::auth {

EndpointView EndpointSettings::view_of(std::optional<std::string> override_endpoint) const {
  EndpointView out;
  Result<ResolvedEndpoint> resolved = advertised_.resolve(override_endpoint, std::nullopt);
  out.override_endpoint = std::move(override_endpoint);
  if (resolved) {
    out.effective = std::move(*resolved);
  } else {
    out.diagnostic = resolved.error().text();
  }
  return out;
}

async::Task<Result<EndpointView>> EndpointSettings::view() {
  auto look = [](store::Connection& connection) { return store::advertised_override(connection); };
  Result<std::optional<std::string>> stored = co_await store_.read(look);
  if (!stored) co_return fail(stored.error());
  co_return view_of(std::move(*stored));
}

async::Task<Result<EndpointView>> EndpointSettings::set(std::optional<std::string> endpoint) {
  if (endpoint && endpoint->empty()) endpoint.reset();
  if (endpoint) {
    if (const auto good = advertised_.check(*endpoint); !good) co_return fail(good.error());
  }
  auto change = [endpoint](store::Connection& connection) {
    return store::set_advertised_override(connection, endpoint);
  };
  const Result<> done = co_await store_.write(std::move(change));
  if (!done) co_return fail(done.error());
  co_return view_of(std::move(endpoint));
}

}  // namespace portunus::server::auth
