#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/config/data_dir.hpp"
#include "common/config/server_config.hpp"
#include "common/net/endpoint.hpp"
#include "server/app/startup_failure.hpp"

namespace portunus::server::app {

struct ServerOptions {
  config::DataDir dir;
  config::ServerConfig config;
  /// The advertised-endpoint seed; nothing when there is none.
  std::optional<std::string> seed;
  /// The name a generated certificate is made for.
  std::string certificate_host;
};

/// The control plane, put together: store, identities, clients, rules, owner caps, quotas, audit
/// log, control service, operator API and metrics. start() blocks and runs before the event loop;
/// everything after it lives on `domain`, which one thread runs. The destructor needs stop() to
/// have ended.
class Server {
 public:
  /// Everything up to listening, in the order of store-and-quotas 2 and cli-and-config 9. A
  /// failure has released what was taken.
  static Started<std::unique_ptr<Server>> start(boost::asio::io_context& domain,
                                                ServerOptions options, const Clock& clock);
  ~Server();

  /// Bound addresses.
  struct Listening {
    net::Endpoint grpc;
    net::Endpoint operator_http;
    net::Endpoint metrics;
  };
  const Listening& listening() const;

  /// SIGHUP: nothing reloads; says so with the counts of the store (operator.store_reloaded).
  async::Task<> report_store();
  /// Refuses new work, ends the sessions, finishes HTTP within `grace` in all, then closes the
  /// store with a checkpoint. False when a handler outlived it: the process must then end without
  /// destructors.
  async::Task<bool> stop(std::chrono::steady_clock::duration grace);

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace portunus::server::app
