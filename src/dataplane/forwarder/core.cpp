#include "dataplane/forwarder/core.hpp"

#include <pthread.h>
#include <signal.h>

#include <boost/asio/post.hpp>

namespace portunus::dataplane {
namespace {

/// A send has MSG_NOSIGNAL, a splice has nothing like it.
void block_pipe_signal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

Core::Core(boost::asio::io_context& io, unsigned number, tcp::PipeBudget& pipes,
           dns::Resolver& resolver)
    : context(io), index(number), poller(io), tcp(io, poller, number, pipes, resolver) {}

Result<> Core::start() {
  boost::asio::post(context, block_pipe_signal);
  return poller.start();
}

void Core::stop() {
  tcp.stop();
  poller.stop();
}

void Core::close_listeners(const rules::LiveRule& rule) {
  tcp.close_listeners(rule);
}

void Core::cancel(const rules::LiveRule& rule) {
  tcp.cancel_sessions(rule);
}

}  // namespace portunus::dataplane
