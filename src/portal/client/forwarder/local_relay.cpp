#include "portal/client/forwarder/local_relay.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace portunus::portal::client::forwarder {

namespace asio = boost::asio;

void reset_on_close(asio::ip::tcp::socket& socket) {
  boost::system::error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
}

LocalRelay::LocalRelay(asio::ip::tcp::socket socket, std::unique_ptr<relay::ByteStream> stream,
                       RelayOptions options)
    : socket_(std::move(socket)),
      stream_(std::move(stream)),
      options_(options),
      grace_(socket_.get_executor()) {}

async::Task<Result<>> LocalRelay::run() {
  using namespace asio::experimental::awaitable_operators;  // NOLINT
  auto [up, down] = co_await (uplink() && downlink());
  if (expired_) co_return Result<>();
  if (!up) co_return std::move(up);
  co_return std::move(down);
}

async::Task<Result<>> LocalRelay::uplink() {
  std::vector<std::uint8_t> buffer(options_.buffer_bytes);
  Result<> how;
  while (true) {
    const auto [ec, n] = co_await socket_.async_read_some(asio::buffer(buffer), async::kTuple);
    if (ec == asio::error::eof) {
      how = co_await stream_->finish();
      break;
    }
    if (ec) {
      how = fail_errno(ec.value(), "local connection");
      break;
    }
    how = co_await stream_->write_all(std::span<const std::uint8_t>(buffer.data(), n));
    if (!how) break;
  }
  ended(how);
  co_return how;
}

async::Task<Result<>> LocalRelay::downlink() {
  std::vector<std::uint8_t> buffer(options_.buffer_bytes);
  Result<> how;
  while (true) {
    const Result<std::size_t> got = co_await stream_->read_some(std::span(buffer));
    if (!got) {
      how = fail(got.error());
      break;
    }
    if (*got == 0) {
      boost::system::error_code ec;
      socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ec);
      if (ec) how = fail_errno(ec.value(), "local connection");
      break;
    }
    const auto [ec, n] =
        co_await asio::async_write(socket_, asio::buffer(buffer.data(), *got), async::kTuple);
    if (ec) {
      how = fail_errno(ec.value(), "local connection");
      break;
    }
  }
  ended(how);
  co_return how;
}

void LocalRelay::ended(const Result<>& how) {
  --running_;
  if (!how) {
    abort();
  } else if (running_ == 1) {
    expire_later();
  } else {
    grace_.cancel();
  }
}

void LocalRelay::expire_later() {
  grace_.expires_after(options_.half_close_grace);
  // An expired timer's handler may stand in the queue when run() ends, and the relay with it.
  grace_.async_wait([weak = weak_from_this()](const boost::system::error_code& ec) {
    const auto self = weak.lock();
    if (ec || !self || self->running_ == 0) return;
    self->expired_ = true;
    self->abort();
  });
}

void LocalRelay::abort() {
  grace_.cancel();
  stream_->abort();
  if (!socket_.is_open()) return;
  reset_on_close(socket_);
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace portunus::portal::client::forwarder
