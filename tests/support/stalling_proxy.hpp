#pragma once

#include <sys/socket.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <thread>
#include <vector>

#include "common/net/endpoint.hpp"

namespace portunus::test {

/// A TCP relay on loopback that can fall silent without closing, as a black-holed path does, or
/// cut what runs through it. Runs on a thread of its own.
class StallingProxy {
  using tcp = boost::asio::ip::tcp;

 public:
  explicit StallingProxy(const net::Endpoint& target)
      : target_(boost::asio::ip::make_address(target.address().text()), target.port()),
        acceptor_(io_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~StallingProxy() {
    io_.stop();
    thread_.join();
  }
  StallingProxy(const StallingProxy&) = delete;
  StallingProxy& operator=(const StallingProxy&) = delete;

  net::Endpoint endpoint() const {
    return {*net::IpAddress::parse("127.0.0.1"), acceptor_.local_endpoint().port()};
  }
  /// From now on nothing passes in either direction.
  void stall() {
    boost::asio::post(io_, [this] { stalled_ = true; });
  }
  /// Resets every connection.
  void cut() {
    boost::asio::post(io_, [this] {
      for (const auto& socket : sockets_) {
        boost::system::error_code ignored;
        socket->set_option(boost::asio::socket_base::linger(true, 0), ignored);
        socket->close(ignored);
      }
    });
  }

 private:
  using Socket = std::shared_ptr<tcp::socket>;

  void accept() {
    auto near = std::make_shared<tcp::socket>(io_);
    acceptor_.async_accept(*near, [this, near](boost::system::error_code ec) {
      if (ec) return;
      auto far = std::make_shared<tcp::socket>(io_);
      far->connect(target_, ec);
      if (!ec) {
        sockets_.push_back(near);
        sockets_.push_back(far);
        relay(near, far);
        relay(far, near);
      }
      accept();
    });
  }
  void relay(const Socket& from, const Socket& to) {
    auto buffer = std::make_shared<std::array<char, 16384>>();
    from->async_read_some(boost::asio::buffer(*buffer),
                          [this, from, to, buffer](boost::system::error_code ec, std::size_t n) {
                            if (stalled_) return;
                            if (!ec) boost::asio::write(*to, boost::asio::buffer(*buffer, n), ec);
                            if (!ec) return relay(from, to);
                            to->shutdown(tcp::socket::shutdown_send, ec);
                          });
  }

  boost::asio::io_context io_{1};
  tcp::endpoint target_;
  tcp::acceptor acceptor_;
  std::vector<Socket> sockets_;
  bool stalled_ = false;
  std::thread thread_;
};

}  // namespace portunus::test
