#include "portal/client/forwarder/tcp_forwarder.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <utility>

#include "common/net/accept_error.hpp"
#include "common/net/asio_endpoint.hpp"
#include "portal/client/forwarder/local_stream.hpp"

namespace portunus::portal::client::forwarder {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

}  // namespace

TcpForwarder::TcpForwarder(asio::any_io_executor executor, Transport& transport, TcpOptions options,
                           OnTrouble on_trouble)
    : transport_(transport),
      options_(std::move(options)),
      on_trouble_(std::move(on_trouble)),
      acceptor_(executor),
      room_(executor, asio::steady_timer::time_point::max()),
      buffers_(options_.buffer_bytes),
      terms_{buffers_, options_.half_close_grace, no_limits_, counters_},
      accepting_(executor),
      serving_(executor) {}

Result<net::Endpoint> TcpForwarder::listen(const net::Endpoint& local) {
  Tcp::endpoint endpoint = net::asio_endpoint<Tcp>(local);
  boost::system::error_code ec;
  acceptor_.open(endpoint.protocol(), ec);
  if (!ec) acceptor_.set_option(asio::socket_base::reuse_address(true), ec);
  if (!ec && endpoint.address().is_v6()) acceptor_.set_option(asio::ip::v6_only(true), ec);
  if (!ec) acceptor_.bind(endpoint, ec);
  if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
  if (!ec) endpoint = acceptor_.local_endpoint(ec);
  if (ec) {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    return fail_errno(ec.value(), local.text());
  }
  return net::Endpoint(local.address(), endpoint.port());
}

void TcpForwarder::start() {
  accepting_.spawn(accept_loop());
}

async::Task<> TcpForwarder::accept_loop() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!stopping_) {
    co_await wait_for_room();
    if (stopping_) break;
    auto [ec, socket] = co_await acceptor_.async_accept(async::kTuple);
    if (stopping_) break;
    if (!ec) {
      ++open_;
      serving_.spawn(serve(std::move(socket)));
    } else if (!net::is_of_the_peer(ec.value())) {
      // Out of descriptors or memory: trying again at once would only spin.
      room_.expires_after(options_.accept_pause);
      co_await room_.async_wait(async::kTuple);
    }
  }
}

async::Task<> TcpForwarder::wait_for_room() {
  while (open_ >= options_.max_connections && !stopping_) {
    room_.expires_at(asio::steady_timer::time_point::max());
    co_await room_.async_wait(async::kTuple);
  }
}

async::Task<> TcpForwarder::serve(Tcp::socket socket) {
  co_await asio::this_coro::throw_if_cancelled(false);
  LocalStream local(std::move(socket));
  Result<std::unique_ptr<relay::ByteStream>> stream = co_await transport_.open_tcp(options_.target);
  if (stream) {
    const relay::RelayEnd end = co_await relay::relay_tcp(local, **stream, {}, terms_);
    if (end.error) report(local, *end.error);
  } else {
    report(local, stream.error());
    // A reset: an end would look like a target with nothing to say.
    local.abort();
  }
  if (open_-- >= options_.max_connections) room_.cancel();
}

void TcpForwarder::report(const relay::ByteStream& local, const Error& why) const {
  if (on_trouble_) on_trouble_(local.peer_endpoint().value_or(net::Endpoint()), why);
}

void TcpForwarder::request_stop() {
  if (stopping_) return;
  stopping_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  room_.cancel();
  serving_.close();
}

async::Task<bool> TcpForwarder::drain(std::chrono::steady_clock::duration grace) {
  request_stop();
  const bool accepted = co_await accepting_.drain(grace);
  const bool done = co_await serving_.drain(grace);
  if (accepted && done) co_return true;
  accepting_.request_stop();
  serving_.request_stop();
  // What is left resumes with an error and ends.
  co_await accepting_.drain(std::chrono::seconds(10));
  co_await serving_.drain(std::chrono::seconds(10));
  co_return false;
}

}  // namespace portunus::portal::client::forwarder
