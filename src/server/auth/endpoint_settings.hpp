#pragma once

#include <optional>
#include <string>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "server/auth/advertised_endpoint.hpp"
#include "server/store/store.hpp"

namespace portunus::server::auth {

/// The advertised endpoint as operators see it (http-api 11).
struct EndpointView {
  std::optional<std::string> override_endpoint;
  /// What an edge enrolled now would be told, apart from the host of a request; nothing when no
  /// tier has a usable one.
  std::optional<ResolvedEndpoint> effective;
  /// Why there is none: "<code>: <endpoint>".
  std::optional<std::string> diagnostic;
};

/// The operator's override of the advertised endpoint: shown and changed. The store alone holds it,
/// and each enrollment reads it there in the transaction that creates it, so nothing here can be
/// out of date. Lives on the domain executor; `advertised` outlives it.
class EndpointSettings {
 public:
  EndpointSettings(store::Store& store, const AdvertisedEndpoint& advertised)
      : store_(store), advertised_(advertised) {}

  /// A store error, or the view.
  async::Task<Result<EndpointView>> view();
  /// Nothing or an empty text clears. endpoint_invalid, endpoint_not_in_cert_san: then nothing is
  /// stored. The view afterwards.
  async::Task<Result<EndpointView>> set(std::optional<std::string> endpoint);

 private:
  EndpointView view_of(std::optional<std::string> override_endpoint) const;

  store::Store& store_;
  const AdvertisedEndpoint& advertised_;
};

}  // namespace portunus::server::auth
