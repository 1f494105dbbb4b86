#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>

#include "common/async/task.hpp"

namespace portunus::async {

/// Owns background coroutines of one executor: they are started through it, cancelled by it and
/// awaited by it. Lives on that executor's thread; must be drained before it is destroyed.
class Gate {
 public:
  explicit Gate(asio::any_io_executor executor);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Starts the task on the gate's executor. After request_stop() the task is dropped unstarted.
  /// An exception that leaves the task aborts: a task handles its own errors.
  void spawn(Task<void> task);

  /// Refuses new tasks and sends terminal cancellation to the running ones. Idempotent.
  void request_stop();
  /// Refuses new tasks and lets the running ones finish. Idempotent.
  void close() { closed_ = true; }

  bool idle() const { return running_.empty(); }
  std::size_t size() const { return running_.size(); }

  /// Waits until every task has ended, at most `grace`; true when all did.
  Task<bool> drain(std::chrono::steady_clock::duration grace);

 private:
  using Signals = std::list<asio::cancellation_signal>;
  asio::any_io_executor executor_;
  Signals running_;
  bool closed_ = false;
  asio::steady_timer changed_;
};

}  // namespace portunus::async
