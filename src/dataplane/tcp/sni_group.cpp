#include "dataplane/tcp/sni_group.hpp"

#include <chrono>
#include <system_error>
#include <vector>

#include "common/log/logger.hpp"

namespace portunus::dataplane::tcp {
namespace {

using log::Event;

void log_limited(Event event, log::SharedLimiter& limiter, log::Fields fields) {
  const auto suppressed = limiter.admit(std::chrono::steady_clock::now());
  if (!suppressed) return;
  std::vector<log::Field> all(fields);
  if (*suppressed > 0) all.push_back({"suppressed", *suppressed});
  log::log_fields(log::info(event).level, event, all);
}

}  // namespace

void SniGroup::log_started() const {
  log::log(Event::sni_listener_started, {{"listen_port", listen_port_}});
}

void SniGroup::log_stopped() const {
  log::log(Event::sni_listener_stopped, {{"listen_port", listen_port_}});
}

void SniGroup::log_accept_error(int error) {
  if (!log::enabled(Event::sni_listener_accept_error)) return;
  log_limited(Event::sni_listener_accept_error, accept_errors_,
              {{"listen_port", listen_port_}, {"error", std::system_category().message(error)}});
}

void SniGroup::log_no_sni(const net::Endpoint& peer, bool fallback_used) {
  if (!log::enabled(Event::no_sni)) return;
  const std::string text = peer.text();
  if (fallback_used) {
    log::log(Event::no_sni,
             {{"listen_port", listen_port_}, {"peer", text}, {"fallback_used", true}});
  } else {
    log_limited(Event::no_sni, no_snis_,
                {{"listen_port", listen_port_}, {"peer", text}, {"fallback_used", false}});
  }
}

void SniGroup::log_no_match(const net::Endpoint& peer, std::string_view server_name) {
  if (!log::enabled(Event::sni_no_match)) return;
  log_limited(Event::sni_no_match, no_matches_,
              {{"listen_port", listen_port_}, {"peer", peer.text()}, {"server_name", server_name}});
}

void SniGroup::log_timeout(const net::Endpoint& peer, std::size_t bytes_read) {
  if (!log::enabled(Event::client_hello_timeout)) return;
  log_limited(Event::client_hello_timeout, timeouts_,
              {{"listen_port", listen_port_}, {"peer", peer.text()}, {"bytes_read", bytes_read}});
}

void SniGroup::log_parse_failed(const net::Endpoint& peer, std::string_view error) {
  if (!log::enabled(Event::tls_parse_failed)) return;
  log_limited(Event::tls_parse_failed, parse_failures_,
              {{"listen_port", listen_port_}, {"peer", peer.text()}, {"error", error}});
}

void SniGroup::log_peek_capacity(const net::Endpoint& peer, unsigned most) {
  if (!log::enabled(Event::sni_peek_capacity)) return;
  log_limited(Event::sni_peek_capacity, peek_capacities_,
              {{"listen_port", listen_port_}, {"peer", peer.text()}, {"max_inflight_peeks", most}});
}

}  // namespace portunus::dataplane::tcp
