#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/crypto/certificate.hpp"
#include "portal/quic/connection.hpp"
#include "portal/quic/endpoint.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::portal::quic {

/// A server of one or more cores and a client endpoint, all on one event loop over loopback.
class Rig {
 public:
  struct Options {
    Settings server = {};
    Settings client = Settings::client();
    unsigned workers = 1;
    /// Each core has another one's socket.
    bool crossed = false;
    net::IpAddress address = *net::IpAddress::parse("127.0.0.1");
  };

  /// Lets in whom it is told to, and keeps whom it has let in.
  class Handler : public ServerHandler {
   public:
    std::shared_ptr<void> admit(const net::Endpoint& source) override {
      asked.push_back(source);
      return admits ? std::make_shared<int>(0) : nullptr;
    }
    std::shared_ptr<const ServerTls> on_client_hello() override { return pair; }
    void opened(std::shared_ptr<Connection> connection, std::shared_ptr<void>) override {
      connections.push_back(std::move(connection));
    }

    bool admits = true;
    std::vector<net::Endpoint> asked;
    std::shared_ptr<const ServerTls> pair;
    std::deque<std::shared_ptr<Connection>> connections;
  };

  Rig() : Rig(Options()) {}
  explicit Rig(Options options) : options_(std::move(options)) {
    const auto made = crypto::generate_self_signed("localhost", "", SystemClock::instance().now());
    pin = *crypto::certificate_fingerprint(made->certificate_pem);
    handler.pair = *ServerTls::from_pem(made->certificate_pem, made->key_pem);
    anybody = *ClientTls::make({.kind = Trust::Kind::anybody});
    const net::Endpoint any(options_.address, 0);
    auto bound = bind_sockets(std::span(&any, 1), options_.workers);
    if (!bound) throw std::runtime_error(bound.error().text());
    remote = (*bound)[0][0].local;
    if (options_.crossed) std::swap((*bound)[0], (*bound)[1]);
    const auto cores = std::make_shared<Cores>(options_.workers);
    const ServerSecrets secrets = *ServerSecrets::draw();
    for (unsigned i = 0; i < options_.workers; ++i) {
      servers.push_back(Endpoint::server(io.context(), {.settings = options_.server,
                                                        .secrets = secrets,
                                                        .cores = cores,
                                                        .worker = i,
                                                        .sockets = std::move((*bound)[i]),
                                                        .handler = &handler}));
      cores->set(i, servers.back());
    }
    for (const auto& server : servers) {
      if (!server->start()) throw std::runtime_error("server");
    }
    client = Endpoint::client(io.context(), options_.client);
    if (!client->start()) throw std::runtime_error("client");
  }

  ~Rig() {
    client->request_stop();
    for (const auto& server : servers) server->request_stop();
    io.run(client->drain(std::chrono::seconds(5)));
    for (const auto& server : servers) io.run(server->drain(std::chrono::seconds(5)));
    io.poll();
  }

  std::shared_ptr<Connection> connect(std::shared_ptr<const ClientTls> tls = nullptr,
                                      const std::string& name = "localhost") {
    return *client->connect(remote, tls ? std::move(tls) : anybody, name);
  }

  /// Both ends of an established connection.
  struct Ends {
    std::shared_ptr<Connection> client;
    std::shared_ptr<Connection> server;
  };
  Ends establish() {
    Ends ends;
    ends.client = connect();
    const auto done = io.run(ends.client->handshake());
    if (!done) throw std::runtime_error("handshake: " + done.error().text());
    io.run_until([&] { return !handler.connections.empty(); });
    ends.server = handler.connections.front();
    handler.connections.pop_front();
    io.run_until([&] { return ends.server->handshake_completed(); });
    return ends;
  }

  test::TestIo io;
  Handler handler;
  std::string pin;
  std::shared_ptr<const ClientTls> anybody;
  net::Endpoint remote;
  std::vector<std::shared_ptr<Endpoint>> servers;
  std::shared_ptr<Endpoint> client;

 private:
  Options options_;
};

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// All until FIN or an error.
inline async::Task<Result<std::string>> read_all(Stream& stream) {
  std::string all;
  std::array<std::byte, 65536> buffer;
  for (;;) {
    const auto n = co_await stream.read_some(buffer);
    if (!n) co_return std::unexpected(n.error());
    if (*n == 0) co_return all;
    all.append(reinterpret_cast<const char*>(buffer.data()), *n);
  }
}

}  // namespace portunus::portal::quic
