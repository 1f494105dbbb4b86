#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/log/limiter.hpp"
#include "common/net/endpoint.hpp"
#include "dataplane/stats/sni_counters.hpp"

namespace portunus::dataplane::tcp {

/// One listen port from the time it enters SNI mode until its last member has left (SNI-2), shared
/// by all workers: its counters and its log lines. Every member may be used from any thread.
///
/// The lines about dropped connections are limited, because any peer can provoke them.
class SniGroup {
 public:
  SniGroup(std::uint16_t listen_port, unsigned workers)
      : counters_(listen_port, workers), listen_port_(listen_port) {}

  std::uint16_t listen_port() const { return listen_port_; }
  stats::SniCounters& counters() { return counters_; }

  /// Once for each listening socket.
  void log_started() const;
  void log_stopped() const;
  void log_accept_error(int error);
  /// A hello without a name that the fallback takes, or that is dropped.
  void log_no_sni(const net::Endpoint& peer, bool fallback_used);
  void log_no_match(const net::Endpoint& peer, std::string_view server_name);
  void log_timeout(const net::Endpoint& peer, std::size_t bytes_read);
  /// `error` of the closed set: "not_tls", "malformed", "size_cap", "io".
  void log_parse_failed(const net::Endpoint& peer, std::string_view error);
  void log_peek_capacity(const net::Endpoint& peer, unsigned most);

 private:
  stats::SniCounters counters_;
  const std::uint16_t listen_port_;
  log::SharedLimiter accept_errors_;
  log::SharedLimiter no_snis_;
  log::SharedLimiter no_matches_;
  log::SharedLimiter timeouts_;
  log::SharedLimiter parse_failures_;
  log::SharedLimiter peek_capacities_;
};

}  // namespace portunus::dataplane::tcp
