#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "common/async/io_threads.hpp"
#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"
#include "dataplane/dns/resolver.hpp"
#include "portal/config/portal_config.hpp"
#include "portal/config/tuning.hpp"
#include "portal/log/log.hpp"
#include "portal/quic/connection_id.hpp"

namespace portunus::portal::server {

struct PortalOptions {
  unsigned cores = std::min(async::IoThreads::core_count(), quic::ConnectionId::kMostWorkers);
  dataplane::dns::ResolverOptions resolver = {};
  /// From authentication to a complete request on TLS/TCP (portal 10); tests do not wait that long.
  std::chrono::nanoseconds request_window = std::chrono::seconds(40);
};

/// The whole relay: its threads, listeners, sessions and timers. Its calls belong to one thread of
/// the caller's, request_stop() to any. start() once; whoever started it calls request_stop() and
/// drain() before it is destroyed.
class Portal {
 public:
  /// `log` is kept by the caller.
  Portal(config::PortalConfig config, const config::Tuning& tuning, log::Log& log,
         PortalOptions options = {});
  ~Portal();
  Portal(const Portal&) = delete;
  Portal& operator=(const Portal&) = delete;

  /// Credentials, host resolution, every bind; then the start record and the first CHECK_POINT,
  /// then it serves. An error leaves nothing bound and has served nobody; its text is for the
  /// start-up failure line. Blocks while a host name is looked up.
  Result<> start();

  /// What is bound, in the order of the contract's table; port 0 has become a real one.
  std::vector<net::Endpoint> tcp_endpoints() const;
  std::vector<net::Endpoint> udp_endpoints() const;

  /// Opens the shutdown window (portal 17): stops accepting and ends every session. May be
  /// repeated; any thread.
  void request_stop();
  /// Blocks until all has ended, and logs the stopped record. Whatever peers and the machine do, it
  /// returns within 1.5 s after the window. False when something had not ended by then: all of the
  /// Portal is left behind, destroyed or not, a thread perhaps in the middle of something; the log
  /// must stay and the process should end without tearing anything down.
  bool drain();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace portunus::portal::server
