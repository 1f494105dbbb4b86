#include "dataplane/tcp/tcp_rule.hpp"

#include <string.h>

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
    : live_(std::move(live)),
      target_(live_->spec().target().literal().value_or(net::Endpoint())),
      splice_(splice),
      mode_(mode) {}

net::Endpoint TcpRule::target(std::uint16_t offset) const {
  return {target_.address(), static_cast<std::uint16_t>(target_.port() + offset)};
}

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
  if (log::enabled(Event::rule_conn_error)) {
    live_->log_limited(Event::rule_conn_error, conn_errors_,
                       {{"listen_port", port}, {"peer", peer.text()}, {"error", error}});
  }
  if (mode_ == PortMode::sni && log::enabled(Event::sni_proxy_finished_error)) {
    live_->log(Event::sni_proxy_finished_error,
               {{"listen_port", port}, {"peer", peer.text()}, {"error", error}});
  }
}

void TcpRule::log_sni_routed(const net::Endpoint& peer, std::string_view server_name,
                             sni::RouteTable::Kind kind) const {
  if (!log::enabled(Event::sni_routed)) return;
  live_->log(Event::sni_routed, {{"listen_port", spec().listen_port},
                                 {"peer", peer.text()},
                                 {"server_name", server_name},
                                 {"match_kind", sni::kind_name(kind)}});
}

void TcpRule::log_splice_selected(std::size_t pipe_bytes) const {
  live_->log(Event::splice_selected, {{"pipe_capacity_bytes", pipe_bytes},
                                      {"has_sni_replay_done", mode_ == PortMode::sni},
                                      {"has_proxy_out", false}});
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
