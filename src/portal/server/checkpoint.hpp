#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <string>

#include "portal/log/log.hpp"
#include "portal/relay/counters.hpp"

namespace portunus::portal::server {

/// The record of portal 4.
std::string checkpoint_text(const relay::CounterTotals& totals);

/// Emits CHECK_POINT records, the interval measured from the last one. On its context's thread.
class Checkpoint {
 public:
  Checkpoint(boost::asio::io_context& context, const relay::Counters& counters, log::Log& log,
             std::chrono::nanoseconds interval);
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  /// The first record, at once; before the context runs, from any thread.
  void start();
  /// No record after this. Idempotent.
  void stop();

 private:
  void emit();
  void wait();

  boost::asio::steady_timer timer_;
  const relay::Counters& counters_;
  log::Log& log_;
  const std::chrono::nanoseconds interval_;
  bool stopped_ = false;
};

}  // namespace portunus::portal::server
