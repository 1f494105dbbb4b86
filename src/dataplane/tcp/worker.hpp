#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <unordered_map>

#include "common/base/result.hpp"
#include "dataplane/reactor/deadlines.hpp"
#include "dataplane/reactor/poller.hpp"
#include "dataplane/tcp/buffer_pool.hpp"
#include "dataplane/tcp/listen_sockets.hpp"
#include "dataplane/tcp/one_way.hpp"
#include "dataplane/tcp/pipe_pool.hpp"
#include "dataplane/tcp/rule_slice.hpp"
#include "dataplane/tcp/session_pool.hpp"
#include "dataplane/tcp/tcp_rule.hpp"

namespace portunus::dataplane::tcp {

/// One thread's share of the engine: its poller, its pools and its slices of the rules. Built
/// before the thread runs; from then on only touched by posts to `context`. stop() lets the
/// context run out of work; destroyed after the thread was joined.
struct Worker {
  Worker(boost::asio::io_context& context, unsigned index, PipeBudget& budget);

  /// Before the thread runs.
  Result<> start();
  /// Aborts everything that is left.
  void stop();

  /// Takes a rule's sockets of this worker into service. False when the system refuses; then
  /// nothing of the rule is here. `on_gone` is called on this thread when, after close_listeners(),
  /// the last connection is gone.
  bool add(std::shared_ptr<TcpRule> rule, ListenPair sockets, std::function<void()> on_gone);
  void close_listeners(const TcpRule& rule);
  void cancel_sessions(const TcpRule& rule);
  /// Called by a slice that has nothing left.
  void drop(RuleSlice& slice);

  boost::asio::io_context& context;
  const unsigned index;
  reactor::Poller poller;
  PipePool pipes;
  BufferPool buffers;
  const std::unique_ptr<std::byte[]> scratch;
  RelayTools tools;
  SessionPool sessions;
  reactor::Deadlines dial_deadlines;

 private:
  std::unordered_map<const TcpRule*, std::unique_ptr<RuleSlice>> slices_;
};

}  // namespace portunus::dataplane::tcp
