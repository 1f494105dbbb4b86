#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>

#include "common/net/unique_fd.hpp"
#include "dataplane/reactor/poller.hpp"
#include "dataplane/tcp/fwd.hpp"

namespace portunus::dataplane::tcp {

/// One listening socket of one worker: accepts and hands over to the sink of its port, which owns
/// it. A failing accept is reported and tried again after 50 ms; the port goes on (TCP-4). Only a
/// socket that no longer listens is given up.
class TcpListener final : public reactor::Pollable {
 public:
  TcpListener(ListenPort& port, boost::asio::io_context& context, net::UniqueFd fd);

  /// False, with errno, when the poller refuses it. Without a socket there is nothing to do.
  bool start();
  /// Takes the connections that are already complete, then closes. Idempotent.
  void close();

 private:
  enum class Taken { one, none, failed, dead };

  void on_ready(std::uint32_t events) override;
  Taken accept_one();
  void pause();

  ListenPort& port_;
  net::UniqueFd fd_;
  boost::asio::steady_timer retry_;
  /// Accepts per wake-up: grows while the queue is never found empty, because an accept that finds
  /// nothing costs nearly as much as one that succeeds.
  int share_ = 1;
  std::uint64_t last_round_ = 0;
};

}  // namespace portunus::dataplane::tcp
