#include "portal/cli/connect_command.hpp"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "common/async/gate.hpp"
#include "common/base/descriptor_limit.hpp"
#include "dataplane/dns/resolver.hpp"
#include "portal/cli/connect_options.hpp"
#include "portal/client/forwarder/tcp_forwarder.hpp"
#include "portal/client/forwarder/udp_forwarder.hpp"
#include "portal/client/quic_transport.hpp"
#include "portal/client/settings.hpp"
#include "portal/client/tls_transport.hpp"
#include "portal/config/portal_config.hpp"
#include "portal/log/log.hpp"
#include "portal/log/record.hpp"
#include "portal/protocol/target.hpp"

namespace portunus::portal::cli {
namespace {

namespace asio = boost::asio;
using log::Level;

constexpr int kFailed = 1;
constexpr int kUsageError = 2;
/// For connections that are open when a signal comes; a second signal cuts them at once.
constexpr std::chrono::seconds kDrain{5};

int refuse(const std::string& text) {
  std::fputs(("error: " + text + "\n").c_str(), stderr);
  return kUsageError;
}

/// The composition root of `connect`. All of it lives on the calling thread.
class Connect {
 public:
  Connect(const ConnectOptions& options, log::Log& log)
      : options_(options),
        log_(log),
        resolver_(io_, {}),
        signals_(io_, SIGINT, SIGTERM),
        gate_(io_.get_executor()) {}

  Result<> start(client::ClientSettings settings, const net::Endpoint& local) {
    const std::string portal = settings.endpoint_text();
    if (Result<> made = make_transport(std::move(settings)); !made) return made;
    transport_->on_trouble([this, portal](const Error& why) { report(portal, why); });
    const Result<net::Endpoint> bound = listen(local);
    if (!bound) return fail(bound.error());
    log_.write(Level::info,
               fmt::format("portal::connect: listening: {} {} to {} through {} over {}",
                           options_.udp ? "udp" : "tcp", bound->text(), options_.target, portal,
                           options_.effective_carrier() == Carrier::quic ? "quic" : "tls"));
    return {};
  }

  void run() {
    transport_->start();
    if (tcp_) tcp_->start();
    if (udp_) udp_->start();
    gate_.spawn(live());
    io_.run();
  }

 private:
  Result<> make_transport(client::ClientSettings settings) {
    if (options_.effective_carrier() == Carrier::quic) {
      auto made = client::QuicTransport::create(io_, resolver_, std::move(settings));
      if (!made) return fail(made.error());
      transport_ = std::move(*made);
    } else {
      auto made = client::TlsTransport::create(io_.get_executor(), resolver_, std::move(settings));
      if (!made) return fail(made.error());
      transport_ = std::move(*made);
    }
    return {};
  }

  Result<net::Endpoint> listen(const net::Endpoint& local) {
    auto trouble = [this](const net::Endpoint& client, const Error& why) {
      report(client.text(), why);
    };
    if (options_.udp) {
      udp_.emplace(io_.get_executor(), *transport_,
                   client::forwarder::UdpOptions{.target = options_.target}, trouble);
      return udp_->listen(local);
    }
    tcp_.emplace(io_.get_executor(), *transport_,
                 client::forwarder::TcpOptions{.target = options_.target}, trouble);
    return tcp_->listen(local);
  }

  void report(const std::string& who, const Error& why) const {
    if (!log_.shown(Level::error)) return;
    log_.write(Level::error, fmt::format("portal::connect: {}: {}", who, log::escaped(why.text())));
  }

  async::Task<> live() {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await signals_.async_wait(async::kTuple);
    log_.write(Level::info, "portal::connect: stopping");
    signals_.async_wait([](const boost::system::error_code& ec, int number) {
      if (!ec) std::_Exit(128 + number);
    });
    if (tcp_) co_await tcp_->drain(kDrain);
    if (udp_) co_await udp_->drain(kDrain);
    co_await transport_->drain(std::chrono::seconds(1));
    resolver_.stop();
    boost::system::error_code ignored;
    signals_.cancel(ignored);
    log_.write(Level::info, "portal::connect: stopped");
  }

  const ConnectOptions& options_;
  log::Log& log_;
  asio::io_context io_{1};
  dataplane::dns::Resolver resolver_;
  asio::signal_set signals_;
  std::unique_ptr<client::Transport> transport_;
  std::optional<client::forwarder::TcpForwarder> tcp_;
  std::optional<client::forwarder::UdpForwarder> udp_;
  async::Gate gate_;
};

int run(const ConnectOptions& options) {
  const auto url = config::PortalUrl::parse(options.url);
  if (!url) return refuse(url.error().text());
  auto settings = client::read_client_settings(
      options.url, {.pin = options.pin, .insecure = options.insecure, .pool = options.pool});
  if (!settings) return refuse(settings.error().text());
  const auto local = net::Endpoint::parse(options.listen);
  if (!local) return refuse("--listen must be an address and a port, as 127.0.0.1:8080");
  if (const auto target = protocol::parse_dial_target(options.target); !target) {
    return refuse("--target: " + target.error().text());
  }
  std::signal(SIGPIPE, SIG_IGN);
  // What the system refuses shows where a descriptor is missing.
  [[maybe_unused]] const auto granted = raise_descriptor_limit();
  log::Log log(config::log_level(*url), log::wants_colour(1));
  Connect connect(options, log);
  if (const Result<> started = connect.start(std::move(*settings), *local); !started) {
    log.flush();
    std::fputs(log::format_start_failure(log::escaped(started.error().text())).c_str(), stderr);
    return kFailed;
  }
  connect.run();
  return 0;
}

}  // namespace

int run_connect(int argc, char** argv) {
  const auto parsed = parse_connect(argc, argv, std::cout, std::cerr);
  if (const auto* done = std::get_if<ConnectDone>(&parsed)) return done->exit_code;
  return run(std::get<ConnectOptions>(parsed));
}

}  // namespace portunus::portal::cli
