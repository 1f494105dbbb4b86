#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "common/log/limiter.hpp"
#include "common/net/endpoint.hpp"
#include "dataplane/dns/resolver.hpp"
#include "dataplane/rules/live_rule.hpp"
#include "dataplane/sni/route_table.hpp"

namespace portunus::dataplane::tcp {

/// Whether the rule has its ports for itself, or is a member of one in SNI mode (SNI-2).
enum class PortMode : std::uint8_t { own, sni };

/// What is TCP's own of one activation of a rule, shared by all workers: its copy path and its log
/// lines. Every member may be used from any thread.
class TcpRule {
 public:
  /// `splice` false forces the user-space path (SPL-8).
  TcpRule(std::shared_ptr<rules::LiveRule> live, bool splice, PortMode mode = PortMode::own);

  rules::LiveRule& live() { return *live_; }
  const model::RuleSpec& spec() const { return live_->spec(); }
  bool splice() const { return splice_; }

  void log_accept_error(std::uint16_t port, int error);
  void log_conn_closed(std::uint16_t port, const net::Endpoint& peer, std::uint64_t bytes_in,
                       std::uint64_t bytes_out) const;
  void log_conn_error(std::uint16_t port, const net::Endpoint& peer, std::string_view error);

  // Of the dial phase; `row` is a target's.
  void log_dns_resolved(std::size_t row, const net::IpAddress& chosen, std::size_t addresses) const;
  void log_dns_failed(std::size_t row, dns::Failure reason, std::string_view detail,
                      unsigned addresses_tried);
  void log_target_failed(std::size_t row, std::string_view error);
  void log_header_refused(std::size_t row, std::string_view error);
  void log_all_targets_failed(std::uint16_t port, const net::Endpoint& peer);

  void log_rate_limit_reject(std::uint16_t port, const net::Endpoint& peer,
                             model::Reject reason) const;
  void log_quota_reject(std::uint16_t port, const net::Endpoint& peer) const;
  /// True for one caller per activation, whose connection is the first that may splice (SPL-6).
  bool first_splice() {
    return !splice_seen_.load(std::memory_order_relaxed) && !splice_seen_.exchange(true);
  }
  /// A connection that came to this member by name.
  void log_sni_routed(const net::Endpoint& peer, std::string_view server_name,
                      sni::RouteTable::Kind kind) const;
  /// How it ended, when it was in error; and that its own end is unknown, which the PROXY header
  /// needs. Nothing for a rule that has its ports for itself.
  void log_sni_finished(std::uint16_t port, const net::Endpoint& peer,
                        std::string_view error) const;
  void log_sni_local_end_failed(std::uint16_t port, const net::Endpoint& peer,
                                std::string_view error);
  void log_splice_selected(std::size_t pipe_bytes, bool proxy_header) const;
  void log_splice_fallback(int error);
  void log_pipe_size(std::size_t wanted, std::size_t got, int error);

 private:
  const std::shared_ptr<rules::LiveRule> live_;
  const bool splice_;
  const PortMode mode_;
  std::atomic<bool> splice_seen_{false};
  log::SharedLimiter accept_errors_;
  log::SharedLimiter conn_errors_{log::kSingles};
  log::SharedLimiter dns_failures_{log::kSingles};
  log::SharedLimiter target_failures_{log::kSingles};
  log::SharedLimiter refused_headers_{log::kSingles};
  log::SharedLimiter lost_dials_{log::kSingles};
  log::SharedLimiter local_ends_{log::kSingles};
  log::SharedLimiter splice_fallbacks_{log::kSingles};
  log::SharedLimiter pipe_sizes_;
};

}  // namespace portunus::dataplane::tcp
