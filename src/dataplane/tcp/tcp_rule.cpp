#include "dataplane/tcp/tcp_rule.hpp"

#include <string.h>

#include <string>
#include <system_error>
#include <utility>

#include "common/log/logger.hpp"

namespace portunus::dataplane::tcp {
namespace {

using log::Event;

std::string_view errno_name(int error) {
  const char* name = ::strerrorname_np(error);
  return name != nullptr ? name : "unknown";
}

}  // namespace

TcpRule::TcpRule(std::shared_ptr<rules::LiveRule> live, bool splice, PortMode mode)
    : live_(std::move(live)), splice_(splice), mode_(mode) {}

void TcpRule::log_accept_error(std::uint16_t port, int error) {
  if (!log::enabled(Event::rule_accept_error)) return;
  live_->log_limited(Event::rule_accept_error, accept_errors_,
                     {{"listen_port", port}, {"error", std::system_category().message(error)}});
}

void TcpRule::log_conn_closed(std::uint16_t port, const net::Endpoint& peer, std::uint64_t bytes_in,
                              std::uint64_t bytes_out) const {
  if (!log::enabled(Event::rule_conn_closed)) return;
  live_->log(Event::rule_conn_closed, {{"listen_port", port},
                                       {"peer", peer.text()},
                                       {"bytes_in", bytes_in},
                                       {"bytes_out", bytes_out}});
}

void TcpRule::log_conn_error(std::uint16_t port, const net::Endpoint& peer,
                             std::string_view error) {
  if (!log::enabled(Event::rule_conn_error)) return;
  live_->log_limited(Event::rule_conn_error, conn_errors_,
                     {{"listen_port", port}, {"peer", peer.text()}, {"error", error}});
}

void TcpRule::log_sni_routed(const net::Endpoint& peer, std::string_view server_name,
                             sni::RouteTable::Kind kind) const {
  if (!log::enabled(Event::sni_routed)) return;
  live_->log(Event::sni_routed, {{"listen_port", spec().listen_port},
                                 {"peer", peer.text()},
                                 {"server_name", server_name},
                                 {"match_kind", sni::kind_name(kind)}});
}

void TcpRule::log_dns_resolved(std::size_t row, const net::IpAddress& chosen,
                               std::size_t addresses) const {
  if (!log::enabled(Event::rule_dns_resolved)) return;
  live_->log(Event::rule_dns_resolved, {{"rule", std::to_string(live_->id().value)},
                                        {"host", spec().targets[row].host},
                                        {"chosen_addr", chosen.text()},
                                        {"addr_count", addresses},
                                        {"prefer_ipv6", spec().prefer_ipv6.value_or(false)}});
}

void TcpRule::log_dns_failed(std::size_t row, dns::Failure reason, std::string_view detail,
                             unsigned addresses_tried) {
  if (!log::enabled(Event::rule_dns_failed)) return;
  live_->log_limited(Event::rule_dns_failed, dns_failures_,
                     {{"rule", std::to_string(live_->id().value)},
                      {"host", spec().targets[row].host},
                      {"reason", dns::failure_name(reason)},
                      {"detail", detail},
                      {"tried", addresses_tried}});
}

void TcpRule::log_target_failed(std::size_t row, std::string_view error) {
  const model::Target& target = spec().targets[row];
  live_->log_limited(Event::target_dial_failed, target_failures_,
                     {{"target_index", row},
                      {"target_host", target.host},
                      {"target_port", target.port},
                      {"error", error}});
}

void TcpRule::log_header_refused(std::size_t row, std::string_view error) {
  const model::Target& target = spec().targets[row];
  live_->log_limited(Event::target_header_refused, refused_headers_,
                     {{"target_index", row},
                      {"target_host", target.host},
                      {"target_port", target.port},
                      {"error", error},
                      {"proxy_protocol", model::proxy_version_name(*target.proxy)}});
}

void TcpRule::log_all_targets_failed(std::uint16_t port, const net::Endpoint& peer) {
  if (!log::enabled(Event::rule_conn_all_targets_failed)) return;
  live_->log_limited(
      Event::rule_conn_all_targets_failed, lost_dials_,
      {{"listen_port", port}, {"peer", peer.text()}, {"target_count", spec().targets.size()}});
}

void TcpRule::log_sni_finished(std::uint16_t port, const net::Endpoint& peer,
                               std::string_view error) const {
  if (mode_ != PortMode::sni || !log::enabled(Event::sni_proxy_finished_error)) return;
  live_->log(Event::sni_proxy_finished_error,
             {{"listen_port", port}, {"peer", peer.text()}, {"error", error}});
}

void TcpRule::log_sni_local_end_failed(std::uint16_t port, const net::Endpoint& peer,
                                       std::string_view error) {
  if (mode_ != PortMode::sni || !log::enabled(Event::sni_local_addr_failed)) return;
  live_->log_limited(Event::sni_local_addr_failed, local_ends_,
                     {{"listen_port", port}, {"peer", peer.text()}, {"error", error}});
}

void TcpRule::log_splice_selected(std::size_t pipe_bytes, bool proxy_header) const {
  live_->log(Event::splice_selected, {{"pipe_capacity_bytes", pipe_bytes},
                                      {"has_sni_replay_done", mode_ == PortMode::sni},
                                      {"has_proxy_out", proxy_header}});
}

void TcpRule::log_rate_limit_reject(std::uint16_t port, const net::Endpoint& peer,
                                    model::Reject reason) const {
  const Event event =
      mode_ == PortMode::sni ? Event::tls_rate_limit_reject : Event::rule_rate_limit_reject;
  if (!log::enabled(event)) return;
  live_->log(event, {{"listen_port", port},
                     {"peer", peer.text()},
                     {"scope", limits::is_owner_reject(reason) ? "owner" : "rule"},
                     {"reason", model::reject_name(reason)}});
}

void TcpRule::log_quota_reject(std::uint16_t port, const net::Endpoint& peer) const {
  if (!log::enabled(Event::rule_quota_reject) || live_->owner() == nullptr) return;
  live_->log(Event::rule_quota_reject,
             {{"listen_port", port}, {"peer", peer.text()}, {"user", live_->owner()->id}});
}

void TcpRule::log_splice_fallback(int error) {
  if (!log::enabled(Event::splice_unsupported_fallback)) return;
  live_->log_limited(Event::splice_unsupported_fallback, splice_fallbacks_,
                     {{"errno_name", errno_name(error)}});
}

void TcpRule::log_pipe_size(std::size_t wanted, std::size_t got, int error) {
  if (!log::enabled(Event::splice_pipe_size_failed)) return;
  live_->log_limited(Event::splice_pipe_size_failed, pipe_sizes_,
                     {{"requested_bytes", wanted},
                      {"actual_default_bytes", got},
                      {"errno_name", errno_name(error)}});
}

}  // namespace portunus::dataplane::tcp
