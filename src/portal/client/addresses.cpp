#include "portal/client/addresses.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "common/net/hostname.hpp"
#include "portal/client/errc.hpp"

namespace portunus::portal::client {
namespace {

namespace asio = boost::asio;
namespace dns = dataplane::dns;

/// Of one lookup; the resolver may answer when nobody waits any more.
struct Pending {
  explicit Pending(asio::any_io_executor executor, SteadyTime deadline)
      : answered(std::move(executor), deadline) {}
  asio::steady_timer answered;
  std::optional<dns::Reply> reply;
};

}  // namespace

async::Task<Result<std::vector<net::Endpoint>>> portal_addresses(dns::Resolver& resolver,
                                                                 std::string host,
                                                                 std::uint16_t port,
                                                                 SteadyTime deadline) {
  if (const auto literal = net::IpAddress::parse(host)) {
    co_return std::vector{net::Endpoint(*literal, port)};
  }
  if (net::check_hostname(host)) co_return fail(Error(Errc::unreachable, "not a host name"));
  const auto executor = co_await asio::this_coro::executor;
  const auto pending = std::make_shared<Pending>(executor, deadline);
  resolver.resolve(net::normalize_hostname(host), executor, [pending](dns::Reply reply) {
    pending->reply = std::move(reply);
    pending->answered.cancel();
  });
  const auto [ec] = co_await pending->answered.async_wait(async::kTuple);
  if (!pending->reply) co_return fail(ec ? Errc::stopped : Errc::timed_out);
  if (!*pending->reply) co_return fail(Error(Errc::unreachable, pending->reply->error().detail));
  std::vector<net::Endpoint> found;
  for (const net::IpAddress& address : dns::dial_order(*(*pending->reply)->addresses, false)) {
    found.emplace_back(address, port);
  }
  if (found.empty()) co_return fail(Error(Errc::unreachable, "the name has no address"));
  co_return found;
}

}  // namespace portunus::portal::client
