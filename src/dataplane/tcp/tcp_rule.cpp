#include "dataplane/tcp/tcp_rule.hpp"

#include <string.h>

#include <chrono>
#include <system_error>
#include <vector>

#include "common/log/logger.hpp"

namespace portunus::dataplane::tcp {
namespace {

using log::Event;

std::string_view errno_name(int error) {
  const char* name = ::strerrorname_np(error);
  return name != nullptr ? name : "unknown";
}

/// A line that peers can provoke: suppressed when it comes too often.
void log_limited(Event event, log::SharedLimiter& limiter, log::Fields fields) {
  const auto suppressed = limiter.admit(std::chrono::steady_clock::now());
  if (!suppressed) return;
  std::vector<log::Field> all(fields);
  if (*suppressed > 0) all.push_back({"suppressed", *suppressed});
  log::log_fields(log::info(event).level, event, all);
}

}  // namespace

TcpRule::TcpRule(const model::RuleSpec& spec, const net::Endpoint& target, unsigned workers,
                 bool splice)
    : id_(spec.id),
      id_text_(std::to_string(spec.id.value)),
      listen_port_(spec.listen_port),
      target_text_(spec.target.text()),
      target_size_(target.to_sockaddr(target_address_)),
      splice_(splice),
      counters_(workers) {}

void TcpRule::log_activated() const {
  log::log(Event::rule_activated, {{"rule_id", id_text_},
                                   {"listen_port", listen_port_},
                                   {"listen_port_end", listen_port_},
                                   {"range_size", 1},
                                   {"protocol", "tcp"},
                                   {"target", target_text_}});
}

void TcpRule::log_failed(const model::RuleSpec& spec, std::string_view reason) {
  const std::string id = std::to_string(spec.id.value);
  std::vector<log::Field> fields{
      {"rule_id", id}, {"listen_port", spec.listen_port}, {"listen_port_end", spec.listen_port}};
  const bool binding =
      reason == "port_in_use" || reason == "permission_denied" || reason == "bind_failed";
  if (binding) fields.push_back({"offending_port", spec.listen_port});
  fields.push_back({"reason", reason});
  log::log_fields(log::info(Event::rule_failed).level, Event::rule_failed, fields);
}

void TcpRule::log_removed() const {
  log::log(Event::rule_removed, {{"rule_id", id_text_}, {"protocol", "tcp"}});
}

void TcpRule::log_accept_error(int error) {
  if (!log::enabled(Event::rule_accept_error)) return;
  log_limited(Event::rule_accept_error, accept_errors_,
              {{"rule_id", id_text_},
               {"listen_port", listen_port_},
               {"error", std::system_category().message(error)}});
}

void TcpRule::log_conn_closed(const net::Endpoint& peer, std::uint64_t bytes_in,
                              std::uint64_t bytes_out) {
  if (!log::enabled(Event::rule_conn_closed)) return;
  log::log(Event::rule_conn_closed, {{"rule_id", id_text_},
                                     {"listen_port", listen_port_},
                                     {"peer", peer.text()},
                                     {"bytes_in", bytes_in},
                                     {"bytes_out", bytes_out}});
}

void TcpRule::log_conn_error(const net::Endpoint& peer, std::string_view error) {
  if (!log::enabled(Event::rule_conn_error)) return;
  log_limited(Event::rule_conn_error, conn_errors_,
              {{"rule_id", id_text_},
               {"listen_port", listen_port_},
               {"peer", peer.text()},
               {"error", error}});
}

void TcpRule::log_splice_selected(std::size_t pipe_bytes) const {
  log::log(Event::splice_selected, {{"rule_id", id_text_},
                                    {"pipe_capacity_bytes", pipe_bytes},
                                    {"has_sni_replay_done", false},
                                    {"has_proxy_out", false}});
}

void TcpRule::log_splice_fallback(int error) {
  if (!log::enabled(Event::splice_unsupported_fallback)) return;
  log_limited(Event::splice_unsupported_fallback, splice_fallbacks_,
              {{"rule_id", id_text_}, {"errno_name", errno_name(error)}});
}

void TcpRule::log_pipe_size(std::size_t wanted, std::size_t got, int error) {
  if (!log::enabled(Event::splice_pipe_size_failed)) return;
  log_limited(Event::splice_pipe_size_failed, pipe_sizes_,
              {{"rule_id", id_text_},
               {"requested_bytes", wanted},
               {"actual_default_bytes", got},
               {"errno_name", errno_name(error)}});
}

}  // namespace portunus::dataplane::tcp
