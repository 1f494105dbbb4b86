// Contract: docs/contracts/portal.md, section 18, "TLS half-close" and "silence", at the local end.
#include "portal/client/forwarder/tcp_forwarder.hpp"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "portal/client/errc.hpp"
#include "portal/relay/tcp_stream.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::portal::client::forwarder {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Leads every stream to one local port, in plain TCP.
class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(asio::any_io_executor executor) : executor_(executor) {}

  void start() override {}
  async::Task<Result<std::unique_ptr<relay::ByteStream>>> open_tcp(std::string target) override {
    targets.push_back(target);
    if (failure) co_return fail(*failure);
    Tcp::socket socket(executor_);
    const auto [ec] = co_await socket.async_connect(to, async::kTuple);
    if (ec) co_return fail(Errc::unreachable);
    co_return std::make_unique<relay::TcpStream>(std::move(socket));
  }
  async::Task<Result<std::unique_ptr<UdpFlow>>> open_udp(std::string, UdpReceiver&) override {
    co_return fail(Errc::stopped);
  }
  void request_stop() override {}
  async::Task<bool> drain(std::chrono::steady_clock::duration) override { co_return true; }

  Tcp::endpoint to;
  std::optional<Error> failure;
  std::vector<std::string> targets;

 private:
  asio::any_io_executor executor_;
};

class Portal18TcpForwarder : public testing::Test {
 protected:
  Portal18TcpForwarder()
      : far_(io_.context(), Tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        transport_(io_.executor()) {
    transport_.to = far_.local_endpoint();
  }
  ~Portal18TcpForwarder() override {
    if (forwarder_) stop(seconds(0));
  }

  void open(TcpOptions options = {.target = "x.test:7"}) {
    forwarder_.emplace(io_.executor(), transport_, std::move(options),
                       [this](const net::Endpoint& client, const Error& why) {
                         clients_.push_back(client);
                         troubles_.push_back(why.code);
                       });
    const auto bound = forwarder_->listen(*net::Endpoint::parse("127.0.0.1:0"));
    ASSERT_TRUE(bound) << bound.error().text();
    local_ = Tcp::endpoint(asio::ip::address_v4::loopback(), bound->port());
    forwarder_->start();
  }
  bool stop(std::chrono::steady_clock::duration grace) {
    return io_.run([](TcpForwarder& f, auto d) -> async::Task<bool> {
      co_return co_await f.drain(d);
    }(*forwarder_, grace));
  }
  Tcp::socket user() {
    Tcp::socket socket(io_.context());
    socket.connect(local_);
    return socket;
  }
  Tcp::socket accepted() {
    std::optional<Tcp::socket> got;
    far_.async_accept([&](const boost::system::error_code& ec, Tcp::socket socket) {
      EXPECT_FALSE(ec);
      got = std::move(socket);
    });
    io_.run_until([&] { return got.has_value(); });
    return std::move(*got);
  }
  /// What comes until the end, and how it ends.
  std::pair<std::string, boost::system::error_code> rest(Tcp::socket& socket) {
    std::string got;
    std::optional<boost::system::error_code> done;
    asio::async_read(socket, asio::dynamic_buffer(got),
                     [&](const boost::system::error_code& ec, std::size_t) { done = ec; });
    io_.run_until([&] { return done.has_value(); });
    return {got, *done};
  }
  std::string take(Tcp::socket& socket, std::size_t size) {
    std::string got(size, '\0');
    std::optional<boost::system::error_code> done;
    asio::async_read(socket, asio::buffer(got),
                     [&](const boost::system::error_code& ec, std::size_t) { done = ec; });
    io_.run_until([&] { return done.has_value(); });
    EXPECT_FALSE(*done) << done->message();
    return got;
  }
  static void put(Tcp::socket& socket, std::string_view text) {
    asio::write(socket, asio::buffer(text));
  }

  test::TestIo io_;
  Tcp::acceptor far_;
  PlainTransport transport_;
  std::optional<TcpForwarder> forwarder_;
  Tcp::endpoint local_;
  std::vector<net::Endpoint> clients_;
  std::vector<std::error_code> troubles_;
};

TEST_F(Portal18TcpForwarder, BytesPassBothWaysToTheTarget) {
  open();
  Tcp::socket user = this->user();
  Tcp::socket far = accepted();
  put(user, "there");
  EXPECT_EQ(take(far, 5), "there");
  put(far, "back");
  EXPECT_EQ(take(user, 4), "back");
  EXPECT_EQ(transport_.targets, std::vector<std::string>{"x.test:7"});
}

TEST_F(Portal18TcpForwarder, EndOfTheUserBecomesAnEndAndReadingGoesOn) {
  open();
  Tcp::socket user = this->user();
  Tcp::socket far = accepted();
  put(user, "question");
  user.shutdown(Tcp::socket::shutdown_send);
  EXPECT_EQ(rest(far),
            std::pair(std::string("question"), boost::system::error_code(asio::error::eof)));
  put(far, "answer");
  far.shutdown(Tcp::socket::shutdown_send);
  EXPECT_EQ(rest(user),
            std::pair(std::string("answer"), boost::system::error_code(asio::error::eof)));
  io_.run_until([&] { return forwarder_->connections() == 0; });
  EXPECT_TRUE(troubles_.empty());
}

TEST_F(Portal18TcpForwarder, EndOfTheTargetBecomesAnEndAndWritingGoesOn) {
  open();
  Tcp::socket user = this->user();
  Tcp::socket far = accepted();
  far.shutdown(Tcp::socket::shutdown_send);
  EXPECT_EQ(rest(user).second, asio::error::eof);
  put(user, "late");
  user.shutdown(Tcp::socket::shutdown_send);
  EXPECT_EQ(rest(far).first, "late");
  io_.run_until([&] { return forwarder_->connections() == 0; });
}

TEST_F(Portal18TcpForwarder, GraceEndsTheOtherHalfHoweverBusy) {
  open({.target = "x.test:7", .half_close_grace = milliseconds(50)});
  Tcp::socket user = this->user();
  Tcp::socket far = accepted();
  user.shutdown(Tcp::socket::shutdown_send);
  EXPECT_EQ(rest(far).second, asio::error::eof);
  io_.run_until([&] { return forwarder_->connections() == 0; });
  EXPECT_TRUE(troubles_.empty()) << "a normal end";
}

TEST_F(Portal18TcpForwarder, ResetOfTheTargetResetsTheUser) {
  open();
  Tcp::socket user = this->user();
  Tcp::socket far = accepted();
  put(user, "x");
  EXPECT_EQ(take(far, 1), "x");
  far.set_option(asio::socket_base::linger(true, 0));
  far.close();
  EXPECT_EQ(rest(user).second, asio::error::connection_reset);
  io_.run_until([&] { return forwarder_->connections() == 0; });
  ASSERT_EQ(troubles_.size(), 1U);
  EXPECT_EQ(clients_.front().port(), user.local_endpoint().port());
}

TEST_F(Portal18TcpForwarder, ResetOfTheUserEndsTheStream) {
  open();
  Tcp::socket user = this->user();
  Tcp::socket far = accepted();
  put(user, "x");
  EXPECT_EQ(take(far, 1), "x");
  user.set_option(asio::socket_base::linger(true, 0));
  user.close();
  io_.run_until([&] { return forwarder_->connections() == 0; });
  rest(far);
}

TEST_F(Portal18TcpForwarder, WhatCannotBeOpenedResetsTheUserAndNotTheNextOne) {
  open();
  transport_.failure = Error(Errc::unreachable);
  Tcp::socket unlucky = this->user();
  EXPECT_EQ(rest(unlucky).second, asio::error::connection_reset);
  EXPECT_EQ(troubles_, std::vector{make_error_code(Errc::unreachable)});
  transport_.failure.reset();
  Tcp::socket user = this->user();
  Tcp::socket far = accepted();
  put(user, "x");
  EXPECT_EQ(take(far, 1), "x");
}

TEST_F(Portal18TcpForwarder, AtTheBoundUsersWaitTheirTurn) {
  open({.target = "x.test:7", .max_connections = 1});
  Tcp::socket first = this->user();
  Tcp::socket far = accepted();
  Tcp::socket second = this->user();
  put(second, "2");
  put(first, "1");
  EXPECT_EQ(take(far, 1), "1");
  EXPECT_EQ(forwarder_->connections(), 1U);
  first.close();
  EXPECT_EQ(rest(far).second, asio::error::eof);
  far.close();
  Tcp::socket next = accepted();
  EXPECT_EQ(take(next, 1), "2");
}

TEST_F(Portal18TcpForwarder, DrainLetsConnectionsEndAndTakesNoNewOnes) {
  open();
  Tcp::socket user = this->user();
  Tcp::socket far = accepted();
  forwarder_->request_stop();
  boost::system::error_code refused;
  Tcp::socket late(io_.context());
  late.connect(local_, refused);
  EXPECT_EQ(refused, asio::error::connection_refused);
  put(user, "still");
  EXPECT_EQ(take(far, 5), "still");
  user.close();
  far.close();
  EXPECT_TRUE(stop(seconds(10)));
  forwarder_.reset();
}

TEST_F(Portal18TcpForwarder, DrainCutsWhatDoesNotEnd) {
  open();
  Tcp::socket user = this->user();
  Tcp::socket far = accepted();
  EXPECT_FALSE(stop(milliseconds(20)));
  forwarder_.reset();
  EXPECT_EQ(rest(user).second, asio::error::connection_reset);
}

TEST_F(Portal18TcpForwarder, TakenPortIsAnErrorThatNamesIt) {
  open();
  TcpForwarder other(io_.executor(), transport_, {.target = "x.test:7"}, {});
  const auto bound =
      other.listen(net::Endpoint(*net::IpAddress::parse("127.0.0.1"), local_.port()));
  ASSERT_FALSE(bound);
  EXPECT_NE(bound.error().text().find(std::to_string(local_.port())), std::string::npos);
}

}  // namespace
}  // namespace portunus::portal::client::forwarder
