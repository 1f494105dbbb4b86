#include "workers.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

namespace portunus::bench {

void give_up(const Error& error) {
  std::fprintf(stderr, "error: %s\n", error.text().c_str());
  std::fflush(stderr);
  std::_Exit(1);
}

Worker::Worker(const Way& way)
    : resolver_(context_, {}),
      transport_(make_transport(way.carrier, way.to, context_, resolver_)) {
  transport_->start();
}

// A load ends with its program: the loop is not wound down, and what lives on it is left alone.
Worker::~Worker() {
  if (thread_.joinable()) thread_.detach();
}

void Worker::spawn(async::Task<> task) {
  boost::asio::co_spawn(context_, std::move(task), [](std::exception_ptr error) {
    if (error) std::terminate();
  });
}

void Worker::run() {
  thread_ = std::thread([this] {
    const auto keep = boost::asio::make_work_guard(context_);
    context_.run();
  });
}

}  // namespace portunus::bench
