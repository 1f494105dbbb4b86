#include "portal/server/quic_core.hpp"

#include <chrono>
#include <utility>

#include "portal/server/quic_session.hpp"
#include "portal/server/session_record.hpp"

namespace portunus::portal::server {
namespace {

quic::Settings quic_settings(const Services& services) {
  quic::Settings settings;
  settings.alpn = services.alpn;
  settings.idle_timeout = services.tuning.udp_idle_timeout;
  // One of 0 fails all authentication (portal 15), which needs a handshake to tell.
  if (services.tuning.handshake_timeout > std::chrono::nanoseconds(0)) {
    settings.handshake_timeout = services.tuning.handshake_timeout;
  }
  return settings;
}

}  // namespace

QuicCore::QuicCore(Services& services, boost::asio::io_context& context, unsigned index)
    : services_(services, context, index), gate_(context.get_executor()) {}

QuicCore::~QuicCore() = default;

Result<std::unique_ptr<QuicCore>> QuicCore::create(Services& services,
                                                   boost::asio::io_context& context, unsigned index,
                                                   Parts parts) {
  std::unique_ptr<QuicCore> core(new QuicCore(services, context, index));
  if (auto made = core->renew(); !made) return fail(made.error());
  const auto cores = parts.cores;
  core->endpoint_ = quic::Endpoint::server(context, {.settings = quic_settings(services),
                                                     .secrets = parts.secrets,
                                                     .cores = cores,
                                                     .worker = index,
                                                     .sockets = std::move(parts.sockets),
                                                     .handler = core.get()});
  cores->set(index, core->endpoint_);
  return core;
}

Result<> QuicCore::renew() {
  const auto pair = services_.all.credentials.current();
  // One that cannot be used is tried and logged once, not again for every connection.
  generation_ = pair->generation;
  auto tls = quic::ServerTls::from_pem(pair->certificates_pem, pair->key_pem);
  if (!tls) return fail(tls.error());
  tls_ = std::move(*tls);
  return {};
}

std::shared_ptr<void> QuicCore::admit(const net::Endpoint& remote) {
  auto slot = services_.all.admission.admit(remote.address());
  if (slot) return std::make_shared<relay::Admission::Slot>(std::move(*slot));
  record_refusal(services_.all, "quic", remote);
  return nullptr;
}

std::shared_ptr<const quic::ServerTls> QuicCore::on_client_hello() {
  services_.all.credentials.on_client_hello(std::chrono::steady_clock::now());
  if (services_.all.credentials.generation() != generation_) {
    if (const auto renewed = renew(); !renewed) {
      services_.all.log.write(log::Level::error, "portal::quic: " + renewed.error().text());
    }
  }
  return tls_;
}

void QuicCore::opened(std::shared_ptr<quic::Connection> connection,
                      std::shared_ptr<void> admission) {
  gate_.spawn(QuicSession::run(
      std::make_unique<QuicSession>(services_, std::move(connection), std::move(admission))));
}

void QuicCore::request_stop() {
  gate_.request_stop();
  endpoint_->request_stop();
}

async::Task<bool> QuicCore::drain(SteadyTime quiet_by, SteadyTime ended_by) {
  const auto left = [](SteadyTime until) { return until - std::chrono::steady_clock::now(); };
  const bool sessions = co_await gate_.drain(left(ended_by));
  // Connections whose peers have not gone quiet by then are dropped, which keeps nothing alive.
  co_await endpoint_->drain(left(quiet_by));
  co_return sessions;
}

}  // namespace portunus::portal::server
