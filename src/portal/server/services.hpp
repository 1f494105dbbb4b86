#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <string>

#include "common/log/limiter.hpp"
#include "dataplane/dns/resolver.hpp"
#include "portal/config/tuning.hpp"
#include "portal/credentials/credential_store.hpp"
#include "portal/log/log.hpp"
#include "portal/protocol/auth_frame.hpp"
#include "portal/protocol/spec.hpp"
#include "portal/relay/admission.hpp"
#include "portal/relay/buffer_pool.hpp"
#include "portal/relay/counters.hpp"
#include "portal/relay/dialer.hpp"
#include "portal/relay/pacer.hpp"
#include "portal/relay/tcp_relay.hpp"
#include "portal/relay/uot_flow.hpp"

namespace portunus::portal::server {

/// What every session of the process draws on, of either carrier. Owned by the Portal, made before
/// anything is bound; each part says which threads may use it.
struct Services {
  const config::Tuning tuning;
  const protocol::Spec spec;
  const protocol::AuthKey key;
  const std::string alpn;
  log::Log& log;
  credentials::CredentialStore& credentials;
  dataplane::dns::Resolver& resolver;
  const relay::Dialer dialer;
  relay::Counters& counters;
  relay::Pacers& pacers;
  relay::Admission& admission;
  /// Of the records of those whom it had no place for.
  portunus::log::SharedLimiter refusals{};
  /// From authentication to a complete request on TLS/TCP (portal 10).
  const std::chrono::nanoseconds request_window = std::chrono::seconds(40);
};

/// The same for the sessions of one core, on its thread.
struct CoreServices {
  CoreServices(Services& services, boost::asio::io_context& io, unsigned core)
      : all(services),
        context(io),
        index(core),
        counters(services.counters.core(core)),
        buffers(services.tuning.tcp_buffer_size),
        tcp{.buffers = buffers,
            .half_close_grace = services.tuning.tcp_read_timeout,
            .pacers = services.pacers,
            .counters = counters},
        uot{.buffer_size = services.tuning.udp_buffer_size,
            .idle_timeout = services.tuning.udp_idle_timeout,
            .pacers = services.pacers,
            .counters = counters} {}

  Services& all;
  boost::asio::io_context& context;
  const unsigned index;
  relay::CoreCounters& counters;
  relay::BufferPool buffers;
  const relay::RelayTerms tcp;
  const relay::UotTerms uot;
};

}  // namespace portunus::portal::server
