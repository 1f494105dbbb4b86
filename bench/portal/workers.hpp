#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "carriers.hpp"
#include "common/async/task.hpp"

namespace portunus::bench {

/// Where a load goes.
struct Way {
  Carrier carrier = Carrier::direct;
  std::string to;
  /// host:port of the service, as the Portal reaches it.
  std::string target;
};

/// A thread with a loop of its own and one transport. The load's coroutines are its own; when the
/// program ends they end with it.
class Worker {
 public:
  explicit Worker(const Way& way);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Before run(), or on the thread: runs there. An exception of the task ends the program.
  void spawn(async::Task<> task);
  void run();

  boost::asio::io_context& context() { return context_; }
  dataplane::dns::Resolver& resolver() { return resolver_; }
  portal::client::Transport& transport() { return *transport_; }

 private:
  boost::asio::io_context context_{1};
  dataplane::dns::Resolver resolver_;
  std::unique_ptr<portal::client::Transport> transport_;
  std::thread thread_;
};

/// Ends the program: a measurement in which something fails says nothing.
[[noreturn]] void give_up(const Error& error);

}  // namespace portunus::bench
