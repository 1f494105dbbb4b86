#include "dataplane/forwarder/cores.hpp"

#include <system_error>
#include <utility>

namespace portunus::dataplane {

Cores::Cores(unsigned count, std::string dns_servers, bool udp_offload)
    : pipe_budget_(tcp::PipeBudget::from_host()),
      udp_offload_(udp_offload ? datagrams::Offload::of_host() : datagrams::Offload{}),
      threads_("dataplane", count),
      resolver_(std::make_unique<dns::Resolver>(
          threads_.context(0), dns::ResolverOptions{.servers = std::move(dns_servers)})),
      prober_(std::make_unique<Prober>(threads_.context(0), *resolver_)) {
  for (unsigned i = 0; i < threads_.size(); ++i) {
    cores_.push_back(
        std::make_unique<Core>(threads_.context(i), i, pipe_budget_, *resolver_, udp_offload_));
    const auto started = cores_.back()->start();
    if (!started) throw std::system_error(started.error().code, started.error().detail);
  }
  threads_.start();
}

Cores::~Cores() {
  stop();
}

void Cores::start_probes(const std::shared_ptr<rules::LiveRule>& rule) {
  if (!rule->multi_target()) return;
  boost::asio::post(threads_.context(0), [this, rule] { prober_->start(rule); });
}

void Cores::stop_probes(const std::shared_ptr<rules::LiveRule>& rule) {
  if (!rule->multi_target()) return;
  boost::asio::post(threads_.context(0), [this, rule] { prober_->stop(*rule); });
}

void Cores::stop() {
  if (stopped_) return;
  stopped_ = true;
  boost::asio::post(threads_.context(0), [this] {
    resolver_->stop();
    prober_->stop();
  });
  post_each([](Core& core) { core.stop(); });
  threads_.join();
}

}  // namespace portunus::dataplane
