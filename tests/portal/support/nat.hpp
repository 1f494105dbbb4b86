#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "common/net/endpoint.hpp"

namespace portunus::test {

/// A router with address translation between UDP clients and one server, on the test's loop: each
/// client's packets leave from a socket of its own at `source`. rebind() forgets all of them, so
/// that every client goes on from another port. Counts what passes.
class Nat {
 public:
  struct Counts {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
  };

  Nat(boost::asio::io_context& io, const net::Endpoint& server,
      const std::string& source = "127.0.0.1")
      : core_(std::make_shared<Core>(io, of(server), source)) {
    core_->receive();
  }
  ~Nat() {
    core_->forget();
    core_->inside.close();
  }
  Nat(const Nat&) = delete;
  Nat& operator=(const Nat&) = delete;

  /// Where clients go in place of the server.
  net::Endpoint front() const {
    const auto bound = core_->inside.local_endpoint();
    return {*net::IpAddress::parse(bound.address().to_string()), bound.port()};
  }
  void rebind() { core_->forget(); }
  const Counts& to_server() const { return core_->to_server; }
  const Counts& to_clients() const { return core_->to_clients; }

 private:
  using Udp = boost::asio::ip::udp;
  using Buffer = std::array<char, 65536>;

  static Udp::endpoint of(const net::Endpoint& endpoint) {
    return {boost::asio::ip::make_address(endpoint.address().text()), endpoint.port()};
  }

  struct Core;
  /// One client's socket outside.
  struct Way : std::enable_shared_from_this<Way> {
    Way(Core& core, Udp::endpoint inner)
        : client(std::move(inner)),
          socket(core.io, {boost::asio::ip::make_address(core.source), 0}) {
      socket.connect(core.server);
      socket.non_blocking(true);
    }
    void receive(const std::shared_ptr<Core>& core) {
      socket.async_receive(boost::asio::buffer(buffer),
                           [self = shared_from_this(), core](const auto& ec, std::size_t n) {
                             if (!self->socket.is_open()) return;
                             if (!ec) core->send_in(*self, n);
                             self->receive(core);
                           });
    }
    const Udp::endpoint client;
    Udp::socket socket;
    Buffer buffer;
  };

  /// Lives as long as anything is under way on the loop.
  struct Core : std::enable_shared_from_this<Core> {
    Core(boost::asio::io_context& loop, Udp::endpoint to, std::string from)
        : io(loop),
          server(std::move(to)),
          source(std::move(from)),
          inside(io, {boost::asio::ip::address_v4::loopback(), 0}) {
      inside.set_option(boost::asio::socket_base::receive_buffer_size(4 * 1024 * 1024));
      inside.non_blocking(true);
    }
    void receive() {
      inside.async_receive_from(boost::asio::buffer(buffer), sender,
                                [self = shared_from_this()](const auto& ec, std::size_t n) {
                                  if (!self->inside.is_open()) return;
                                  if (!ec) self->send_out(n);
                                  self->receive();
                                });
    }
    void send_out(std::size_t n) {
      auto& way = ways[sender];
      if (way == nullptr) {
        way = std::make_shared<Way>(*this, sender);
        way->receive(shared_from_this());
      }
      count(to_server, n);
      // What a socket does not take is lost, as on the way.
      boost::system::error_code lost;
      way->socket.send(boost::asio::buffer(buffer.data(), n), 0, lost);
    }
    void send_in(Way& way, std::size_t n) {
      count(to_clients, n);
      boost::system::error_code lost;
      inside.send_to(boost::asio::buffer(way.buffer.data(), n), way.client, 0, lost);
    }
    void forget() {
      for (auto& [client, way] : ways) way->socket.close();
      ways.clear();
    }
    static void count(Counts& counts, std::size_t n) {
      ++counts.packets;
      counts.bytes += n;
    }

    boost::asio::io_context& io;
    const Udp::endpoint server;
    const std::string source;
    Udp::socket inside;
    Udp::endpoint sender;
    std::map<Udp::endpoint, std::shared_ptr<Way>> ways;
    Counts to_server;
    Counts to_clients;
    Buffer buffer;
  };

  const std::shared_ptr<Core> core_;
};

}  // namespace portunus::test
