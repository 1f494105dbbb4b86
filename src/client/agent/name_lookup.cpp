#include "client/agent/name_lookup.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstring>
#include <memory>
#include <string>

#include "client/agent/errc.hpp"

namespace portunus::client::agent {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// Shared with the resolver's handler, which may outlive the wait.
struct Lookup {
  Lookup(const asio::any_io_executor& executor, std::chrono::steady_clock::duration limit)
      : resolver(executor), answered(executor, limit) {}
  tcp::resolver resolver;
  asio::steady_timer answered;
  bool done = false;
  boost::system::error_code error;
  std::vector<net::Endpoint> found;
};

net::Endpoint to_endpoint(const tcp::endpoint& endpoint) {
  sockaddr_storage storage{};
  std::memcpy(&storage, endpoint.data(), endpoint.size());
  return net::Endpoint::from_sockaddr(storage).value_or(net::Endpoint{});
}

}  // namespace

async::Task<Result<std::vector<net::Endpoint>>> look_up(ServerAddress server,
                                                        std::chrono::steady_clock::duration limit) {
  if (server.literal()) {
    co_return std::vector{net::Endpoint(*server.literal(), server.port())};
  }
  auto lookup = std::make_shared<Lookup>(co_await asio::this_coro::executor, limit);
  lookup->resolver.async_resolve(
      server.host(), std::to_string(server.port()), tcp::resolver::numeric_service,
      [lookup](boost::system::error_code error, const tcp::resolver::results_type& results) {
        lookup->done = true;
        lookup->error = error;
        for (const auto& entry : results) lookup->found.push_back(to_endpoint(entry.endpoint()));
        lookup->answered.cancel();
      });
  co_await lookup->answered.async_wait(async::kTuple);
  if (!lookup->done) co_return fail({Errc::timed_out, "looking up " + server.host()});
  if (lookup->found.empty()) {
    co_return fail({Errc::resolve_failed, server.host() + ": " + lookup->error.message()});
  }
  co_return std::move(lookup->found);
}

}  // namespace portunus::client::agent
