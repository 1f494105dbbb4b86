#include "portal/server/quic_carrier.hpp"

#include <string>
#include <utility>

#include "portal/quic/tls.hpp"

namespace portunus::portal::server {
namespace {

/// The URL may hold one of 255 bytes, and TLS on TCP negotiates it.
void report_alpn(const Services& services) {
  const Result<> usable = quic::check_alpn(services.alpn);
  if (usable) return;
  services.log.write(
      log::Level::error,
      "portal::quic: no handshake can succeed: QUIC cannot negotiate an alpn above 31 "
      "bytes, this one has " +
          std::to_string(services.alpn.size()) + ": " + usable.error().text());
}

}  // namespace

Result<std::unique_ptr<QuicCarrier>> QuicCarrier::bind(Services& services,
                                                       async::IoThreads& threads,
                                                       std::span<const net::Endpoint> addresses) {
  const auto secrets = quic::ServerSecrets::draw();
  if (!secrets) return fail(secrets.error());
  auto sockets = quic::bind_sockets(addresses, threads.size());
  if (!sockets) return fail(sockets.error());
  report_alpn(services);
  auto carrier = std::make_unique<QuicCarrier>();
  for (const quic::BoundSocket& socket : sockets->front()) {
    carrier->endpoints_.push_back(socket.local);
  }
  const auto cores = std::make_shared<quic::Cores>(threads.size());
  for (unsigned i = 0; i < threads.size(); ++i) {
    auto core = QuicCore::create(
        services, threads.context(i), i,
        {.sockets = std::move((*sockets)[i]), .secrets = *secrets, .cores = cores});
    if (!core) return fail(core.error());
    carrier->cores_.push_back(std::move(*core));
  }
  return carrier;
}

Result<> QuicCarrier::start() {
  for (const auto& core : cores_) {
    const Result<> started = core->start();
    if (!started) return started;
  }
  return {};
}

}  // namespace portunus::portal::server
