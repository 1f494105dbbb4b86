#include "portal/relay/dialer.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "common/async/cancelled.hpp"
#include "common/async/within.hpp"
#include "common/net/asio_endpoint.hpp"
#include "common/net/hostname.hpp"
#include "portal/protocol/target.hpp"
#include "portal/relay/admission.hpp"
#include "portal/relay/errc.hpp"

namespace portunus::portal::relay {
namespace {

namespace asio = boost::asio;
namespace dns = dataplane::dns;
using async::kTuple;
using async::Task;

/// Of the process, and of one client: who asks for names that nobody answers for meets his own
/// bound before he meets the others'. One that is under way costs a c-ares channel, some 75 KB.
constexpr std::size_t kLookups = 1024;
constexpr std::size_t kLookupsPerClient = 256;

dns::Asker asker_of(const net::IpAddress& client) {
  // No IPv6 address that anybody has begins with these bits.
  constexpr std::uint64_t kV4 = std::uint64_t{0xffff} << 32;
  const std::uint64_t prefix = source_prefix(client);
  return static_cast<dns::Asker>(client.is_v6() ? prefix : kV4 | prefix);
}

/// A question to the resolver, which answers even when nobody waits any more.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : wake(executor, SteadyTime::max()) {}
  asio::steady_timer wake;
  std::optional<dns::Reply> reply;
};

Task<std::optional<dns::Reply>> look_up(dns::Resolver& resolver, std::string name,
                                        dns::Asker asker) {
  const auto executor = co_await asio::this_coro::executor;
  const auto lookup = std::make_shared<Lookup>(executor);
  const auto take = [lookup](dns::Reply reply) {
    lookup->reply = std::move(reply);
    lookup->wake.cancel();
  };
  resolver.resolve(std::move(name), executor, take, asker);
  co_await lookup->wake.async_wait(kTuple);
  co_return std::move(lookup->reply);
}

/// Opened, and bound when `from` says so.
template <class Socket>
boost::system::error_code open_for(Socket& socket, const net::Endpoint& target,
                                   const std::optional<net::IpAddress>& from) {
  using Protocol = typename Socket::protocol_type;
  boost::system::error_code ec;
  socket.open(net::asio_endpoint<Protocol>(target).protocol(), ec);
  if (ec || !from) return ec;
  // The kernel picks the port when it knows the target, so that one address has more than 28000.
  const int on = 1;
  ::setsockopt(socket.native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  socket.bind(net::asio_endpoint<Protocol>(net::Endpoint(*from, 0)), ec);
  return ec;
}

/// What a resolver can be asked for: a C string, and nothing that would end or split it.
bool is_askable(std::string_view name) {
  return std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

dns::Limits lookup_limits(const DialSettings& settings) {
  dns::Limits limits;
  limits.lookups = kLookups;
  limits.per_asker = kLookupsPerClient;
  limits.attempt = std::max(settings.tcp_timeout, settings.udp_timeout);
  return limits;
}

Task<Result<Dialer::Addresses>> Dialer::resolve(std::string target, net::IpAddress client) const {
  Result<protocol::DialTarget> parsed = protocol::parse_dial_target(target);
  if (!parsed) co_return fail(parsed.error());
  const auto& from = settings_.bind;
  std::vector<net::IpAddress> found;
  if (parsed->address) {
    found.push_back(*parsed->address);
  } else {
    if (!is_askable(parsed->name)) co_return fail(Errc::lookup_failed);
    const auto reply =
        co_await look_up(resolver_, net::normalize_hostname(parsed->name), asker_of(client));
    if (!reply) co_return fail(Errc::aborted);
    if (!*reply) co_return fail(Error(Errc::lookup_failed, reply->error().detail));
    found = dns::dial_order(*(*reply)->addresses, from && from->is_v6());
  }
  Addresses endpoints;
  for (const net::IpAddress& address : found) {
    if (!from || from->is_v6() == address.is_v6()) endpoints.emplace_back(address, parsed->port);
  }
  if (endpoints.empty()) co_return fail(Errc::no_address);
  co_return endpoints;
}

Task<Result<std::unique_ptr<TcpStream>>> Dialer::try_tcp(std::string target,
                                                         net::IpAddress client) const {
  co_await asio::this_coro::throw_if_cancelled(false);
  const Result<Addresses> addresses = co_await resolve(std::move(target), client);
  if (!addresses) co_return fail(addresses.error());
  const auto executor = co_await asio::this_coro::executor;
  Error last = Errc::no_address;
  for (const net::Endpoint& endpoint : *addresses) {
    asio::ip::tcp::socket socket(executor);
    boost::system::error_code ec = open_for(socket, endpoint, settings_.bind);
    if (!ec) {
      const auto to = net::asio_endpoint<asio::ip::tcp>(endpoint);
      const auto [failed] = co_await socket.async_connect(to, kTuple);
      ec = failed;
    }
    if (!ec) co_return std::make_unique<TcpStream>(std::move(socket));
    last = Error(std::error_code(ec), endpoint.text());
    const bool over = co_await async::cancelled();
    if (over) break;
  }
  co_return fail(std::move(last));
}

Task<Result<std::unique_ptr<UdpTarget>>> Dialer::try_udp(std::string target,
                                                         net::IpAddress client) const {
  co_await asio::this_coro::throw_if_cancelled(false);
  const Result<Addresses> addresses = co_await resolve(std::move(target), client);
  if (!addresses) co_return fail(addresses.error());
  const auto executor = co_await asio::this_coro::executor;
  Error last = Errc::no_address;
  for (const net::Endpoint& endpoint : *addresses) {
    asio::ip::udp::socket socket(executor);
    boost::system::error_code ec = open_for(socket, endpoint, settings_.bind);
    if (!ec) socket.connect(net::asio_endpoint<asio::ip::udp>(endpoint), ec);
    if (!ec) socket.non_blocking(true, ec);
    if (!ec) co_return std::make_unique<UdpTarget>(std::move(socket));
    last = Error(std::error_code(ec), endpoint.text());
  }
  co_return fail(std::move(last));
}

Task<Result<std::unique_ptr<TcpStream>>> Dialer::dial_tcp(std::string target,
                                                          net::IpAddress client) const {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto outcome = co_await async::within(try_tcp(std::move(target), client), settings_.tcp_timeout);
  const bool over = co_await async::cancelled();
  if (over) co_return fail(Errc::aborted);
  if (!outcome) co_return fail(Errc::dial_timeout);
  co_return std::move(*outcome);
}

Task<Result<std::unique_ptr<UdpTarget>>> Dialer::dial_udp(std::string target,
                                                          net::IpAddress client) const {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto outcome = co_await async::within(try_udp(std::move(target), client), settings_.udp_timeout);
  const bool over = co_await async::cancelled();
  if (over) co_return fail(Errc::aborted);
  if (!outcome) co_return fail(Errc::dial_timeout);
  co_return std::move(*outcome);
}

}  // namespace portunus::portal::relay
