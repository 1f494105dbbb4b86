#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/dns/resolver.hpp"
#include "portal/client/transport.hpp"

namespace portunus::bench {

/// What lies between the load and its service. The first two lead wherever the address says,
/// without a Portal: no relay at all, and one that only takes TLS off.
enum class Carrier { direct, tls, portal_tls, portal_quic };
std::optional<Carrier> parse_carrier(std::string_view name);

/// `to`: a portal URL for the last two, 127.0.0.1:port for the first two. Any certificate is
/// trusted and nothing is connected ahead. Ends the program when `to` cannot be used. Not started.
std::unique_ptr<portal::client::Transport> make_transport(Carrier carrier, const std::string& to,
                                                          boost::asio::io_context& context,
                                                          dataplane::dns::Resolver& resolver);

}  // namespace portunus::bench
