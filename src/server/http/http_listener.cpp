#include "server/http/http_listener.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/net/accept_error.hpp"

namespace portunus::server::http {

namespace asio = boost::asio;

HttpListener::HttpListener(asio::any_io_executor executor, asio::any_io_executor domain,
                           Handler handler, HttpOptions options)
    : bodies_(options.bodies_limit, options.spared_body),
      context_{std::move(domain), std::move(handler), options, bodies_},
      executor_(executor),
      acceptor_(executor),
      room_(executor, asio::steady_timer::time_point::max()),
      accepting_(executor),
      serving_(executor) {}

Result<net::Endpoint> HttpListener::listen(const net::Endpoint& endpoint) {
  sockaddr_storage storage{};
  const socklen_t length = endpoint.to_sockaddr(storage);
  asio::ip::tcp::endpoint local;
  local.resize(length);
  std::memcpy(local.data(), &storage, length);

  boost::system::error_code ec;
  acceptor_.open(local.protocol(), ec);
  if (!ec) acceptor_.set_option(asio::socket_base::reuse_address(true), ec);
  if (!ec) acceptor_.bind(local, ec);
  if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
  if (!ec) local = acceptor_.local_endpoint(ec);
  if (ec) {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    return fail_errno(ec.value(), endpoint.text());
  }
  return net::Endpoint(endpoint.address(), local.port());
}

void HttpListener::start() {
  accepting_.spawn(accept_loop());
}

async::Task<> HttpListener::accept_loop() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!stopping_) {
    auto [ec, socket] = co_await acceptor_.async_accept(async::kTuple);
    if (stopping_) break;
    if (!ec) {
      co_await wait_for_room();
      if (stopping_) break;
      connections_.emplace_back(std::move(socket), context_);
      serving_.spawn(serve(std::prev(connections_.end())));
    } else if (!net::is_of_the_peer(ec.value())) {
      // Out of descriptors or memory: trying again at once would only spin.
      room_.expires_after(context_.options.accept_pause);
      co_await room_.async_wait(async::kTuple);
    }
  }
}

async::Task<> HttpListener::wait_for_room() {
  while (connections_.size() >= context_.options.max_connections && !stopping_) {
    const auto now = std::chrono::steady_clock::now();
    const auto hold = [now](const HttpConnection& connection) { return connection.hold(now); };
    // The first of equals: connections stand in the order of their arrival.
    const auto least = std::ranges::min_element(connections_, {}, hold);
    switch (hold(*least)) {
      case Hold::idle:
      case Hold::streaming:
        least->stop();
        break;
      case Hold::unanswered:
      case Hold::slow:
        least->abort();
        break;
      case Hold::busy:
        break;
    }
    room_.expires_after(context_.options.room_check);
    co_await room_.async_wait(async::kTuple);
  }
}

async::Task<> HttpListener::serve(Connections::iterator connection) {
  co_await connection->run();
  connections_.erase(connection);
  room_.cancel();
}

void HttpListener::request_stop() {
  if (stopping_) return;
  stopping_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  room_.cancel();
  serving_.close();
  for (HttpConnection& connection : connections_) connection.stop();
}

async::Task<bool> HttpListener::drain(std::chrono::steady_clock::duration grace) {
  request_stop();
  co_await accepting_.drain(grace);
  const bool done = co_await serving_.drain(grace);
  if (done) co_return true;
  for (HttpConnection& connection : connections_) connection.abort();
  serving_.request_stop();
  // What is left is a handler's last step, which has bounds of its own.
  co_await serving_.drain(std::chrono::seconds(10));
  co_return false;
}

}  // namespace portunus::server::http
