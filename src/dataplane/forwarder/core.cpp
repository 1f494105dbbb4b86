#include "dataplane/forwarder/core.hpp"

#include <pthread.h>
#include <signal.h>

#include <boost/asio/post.hpp>
#include <string>
#include <utility>

namespace portunus::dataplane {
namespace {

/// A send has MSG_NOSIGNAL, a splice has nothing like it.
void block_pipe_signal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

udp::Resolve resolve_with(dns::Resolver& resolver) {
  return [&resolver](std::string name, boost::asio::any_io_executor reply_to,
                     dns::Resolver::Handler handler) {
    resolver.resolve(std::move(name), std::move(reply_to), std::move(handler));
  };
}

}  // namespace

Core::Core(boost::asio::io_context& io, unsigned number, tcp::PipeBudget& pipes,
           dns::Resolver& resolver, datagrams::Offload offload)
    : context(io),
      index(number),
      poller(io),
      tcp(io, poller, number, pipes, resolver),
      udp(io, poller, number, {.offload = offload, .resolve = resolve_with(resolver)}) {}

Result<> Core::start() {
  boost::asio::post(context, block_pipe_signal);
  return poller.start();
}

void Core::stop() {
  tcp.stop();
  udp.stop();
  poller.stop();
}

void Core::close_listeners(const rules::LiveRule& rule) {
  tcp.close_listeners(rule);
  // Flows end with their port, there is no drain window for them (UDP-16).
  udp.remove(rule);
}

void Core::cancel(const rules::LiveRule& rule) {
  tcp.cancel_sessions(rule);
}

void Core::cut(const owners::OwnerScope& owner) {
  // A SET may have come since.
  if (!owner.quota.exhausted()) return;
  tcp.cut_off(owner);
  udp.cut(owner);
}

}  // namespace portunus::dataplane
