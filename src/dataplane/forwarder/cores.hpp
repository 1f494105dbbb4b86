#pragma once

#include <boost/asio/post.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "common/async/io_threads.hpp"
#include "common/datagrams/offload.hpp"
#include "dataplane/dns/resolver.hpp"
#include "dataplane/forwarder/core.hpp"
#include "dataplane/forwarder/prober.hpp"
#include "dataplane/tcp/pipe_pool.hpp"

namespace portunus::dataplane {

/// The engine's threads with their cores, and what these share: the resolver and the prober live on
/// core 0.
/// Owned by the forwarder's owner, whose thread calls it.
class Cores {
 public:
  /// Starts `count` threads. Throws std::system_error when the system refuses.
  Cores(unsigned count, std::string dns_servers, bool udp_offload);
  /// Stops.
  ~Cores();
  Cores(const Cores&) = delete;
  Cores& operator=(const Cores&) = delete;

  unsigned size() const { return static_cast<unsigned>(cores_.size()); }
  Core& operator[](std::size_t index) { return *cores_[index]; }
  const datagrams::Offload& udp_offload() const { return udp_offload_; }
  void start_probes(const std::shared_ptr<rules::LiveRule>& rule);
  void stop_probes(const std::shared_ptr<rules::LiveRule>& rule);

  /// `work` is called with every core, on its thread.
  template <class Work>
  void post_each(const Work& work) {
    for (const auto& core : cores_) {
      boost::asio::post(core->context, [work, c = core.get()] { work(*c); });
    }
  }

  /// Aborts everything that is left and joins the threads. Idempotent.
  void stop();
  bool stopped() const { return stopped_; }

 private:
  tcp::PipeBudget pipe_budget_;
  const datagrams::Offload udp_offload_;
  async::IoThreads threads_;
  std::unique_ptr<dns::Resolver> resolver_;
  std::unique_ptr<Prober> prober_;
  std::vector<std::unique_ptr<Core>> cores_;
  bool stopped_ = false;
};

}  // namespace portunus::dataplane
