#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <memory>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "dataplane/dns/resolver.hpp"
#include "portal/client/settings.hpp"
#include "portal/protocol/auth_frame.hpp"
#include "portal/protocol/spec.hpp"
#include "portal/tls/tls_context.hpp"
#include "portal/tls/tls_stream.hpp"

namespace portunus::portal::client {

/// A TLS connection to the Portal that has sent its authentication frame, and nothing after it.
struct TlsConnection {
  std::unique_ptr<tls::TlsStream> stream;
  /// The stream's, for looking at its state while it is idle.
  int descriptor = -1;

  /// The Portal has neither ended nor reset it, as far as the kernel knows.
  bool alive() const;
};

/// Makes TLS/TCP connections that are authenticated ahead of their use (portal 10). Lives on one
/// executor; the settings, the spec and the resolver outlive it, and it its connections.
class TlsConnector {
 public:
  static Result<std::unique_ptr<TlsConnector>> create(boost::asio::any_io_executor executor,
                                                      dataplane::dns::Resolver& resolver,
                                                      const ClientSettings& settings,
                                                      const protocol::Spec& spec);
  TlsConnector(const TlsConnector&) = delete;
  TlsConnector& operator=(const TlsConnector&) = delete;

  /// Within settings.connect_timeout, the wait for a turn included: a Portal admits 32 connections
  /// of one address that are still to authenticate (portal 9), so a crowd of users goes in turn.
  /// The Portal does not say whether it took the key.
  async::Task<Result<TlsConnection>> connect();

  /// Everything that connects ends soon, with Errc::stopped. Idempotent.
  void request_stop();

 private:
  TlsConnector(boost::asio::any_io_executor executor, dataplane::dns::Resolver& resolver,
               const ClientSettings& settings, const protocol::Spec& spec,
               std::unique_ptr<tls::ClientContext> context);

  struct Waiter {
    boost::asio::steady_timer timer;
    bool has_turn = false;
  };
  async::Task<Result<>> take_turn(SteadyTime deadline);
  void give_turn();
  async::Task<Result<boost::asio::ip::tcp::socket>> dial(SteadyTime deadline);
  async::Task<Result<boost::asio::ip::tcp::socket>> connect_to(net::Endpoint to);
  async::Task<Result<>> secure(tls::TlsStream& stream, SteadyTime deadline);
  Error why(const Error& error, bool expired) const;

  boost::asio::any_io_executor executor_;
  dataplane::dns::Resolver& resolver_;
  const ClientSettings& settings_;
  const protocol::Spec& spec_;
  const protocol::AuthKey key_;
  const std::unique_ptr<tls::ClientContext> context_;
  bool stopping_ = false;
  unsigned in_turn_ = 0;
  std::list<Waiter*> waiting_;
  std::list<boost::asio::ip::tcp::socket*> dialing_;
  std::list<tls::TlsStream*> securing_;
};

}  // namespace portunus::portal::client
