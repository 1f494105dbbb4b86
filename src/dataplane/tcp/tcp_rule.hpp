#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/ids.hpp"
#include "common/log/limiter.hpp"
#include "common/model/rule.hpp"
#include "common/net/endpoint.hpp"
#include "dataplane/stats/rule_counters.hpp"

namespace portunus::dataplane::tcp {

/// One activation of one rule, shared by all workers: what never changes, its counters, and its
/// log lines. Every member may be used from any thread.
class TcpRule {
 public:
  /// `splice` false forces the user-space path (SPL-8).
  TcpRule(const model::RuleSpec& spec, const net::Endpoint& target, unsigned workers, bool splice);

  RuleId id() const { return id_; }
  std::uint16_t listen_port() const { return listen_port_; }
  bool splice() const { return splice_; }
  const sockaddr* target_address() const {
    return reinterpret_cast<const sockaddr*>(&target_address_);
  }
  socklen_t target_size() const { return target_size_; }
  stats::RuleCounters& counters() { return counters_; }

  /// rule.activated, rule.failed and rule.removed: the owner's lines.
  void log_activated() const;
  static void log_failed(const model::RuleSpec& spec, std::string_view reason);
  void log_removed() const;

  void log_accept_error(int error);
  void log_conn_closed(const net::Endpoint& peer, std::uint64_t bytes_in, std::uint64_t bytes_out);
  void log_conn_error(const net::Endpoint& peer, std::string_view error);
  /// True for one caller per activation, whose connection is the first that may splice (SPL-6).
  bool first_splice() {
    return !splice_seen_.load(std::memory_order_relaxed) && !splice_seen_.exchange(true);
  }
  void log_splice_selected(std::size_t pipe_bytes) const;
  void log_splice_fallback(int error);
  void log_pipe_size(std::size_t wanted, std::size_t got, int error);

 private:
  const RuleId id_;
  const std::string id_text_;
  const std::uint16_t listen_port_;
  const std::string target_text_;
  sockaddr_storage target_address_{};
  socklen_t target_size_;
  const bool splice_;
  std::atomic<bool> splice_seen_{false};
  stats::RuleCounters counters_;
  log::SharedLimiter accept_errors_;
  log::SharedLimiter conn_errors_;
  log::SharedLimiter splice_fallbacks_;
  log::SharedLimiter pipe_sizes_;
};

}  // namespace portunus::dataplane::tcp
