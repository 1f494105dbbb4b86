#pragma once

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/async/io_threads.hpp"
#include "common/model/rule.hpp"
#include "dataplane/owners/owner_scope.hpp"
#include "dataplane/reactor/poller.hpp"
#include "dataplane/udp/bind_ports.hpp"
#include "dataplane/udp/udp_rule.hpp"
#include "dataplane/udp/worker.hpp"

namespace portunus::test {

struct RigOptions {
  unsigned workers = 2;
  /// What the kernel offers, or nothing.
  bool offload = true;
  dataplane::udp::SendMany send = dataplane::udp::send_many;
};

/// Several workers on threads of their own, with names that the test answers.
class Rig {
 public:
  using Rule = std::shared_ptr<dataplane::udp::UdpRule>;

  explicit Rig(RigOptions options = {});
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  /// A rule on one free port of its own.
  static model::RuleSpec rule(std::uint16_t target_port, std::string host = "127.0.0.1");
  /// Binds and serves; throws when that fails.
  Rule serve(model::RuleSpec spec, model::UdpSettings settings = {},
             std::shared_ptr<dataplane::owners::OwnerScope> owner = nullptr);
  void remove(const Rule& rule);
  void cut(const dataplane::owners::OwnerScope& owner);

  /// From now on that name has these addresses; empty = it does not exist. Waiting lookups are
  /// answered. Until then it is being looked up.
  void answer(const std::string& name, std::vector<std::string> addresses,
              std::chrono::seconds fresh = std::chrono::seconds(60),
              dataplane::dns::Answer::Source source = dataplane::dns::Answer::Source::lookup);
  /// From now on lookups of that name fail so.
  void refuse(const std::string& name, dataplane::dns::LookupError error);
  /// From now on lookups of it wait again.
  void forget(const std::string& name);
  /// Lookups that were made.
  unsigned lookups() const { return lookups_; }

  static model::RuleTraffic traffic(const Rule& rule) { return rule->live().traffic(); }
  static model::LocalTraffic local(const Rule& rule) { return rule->live().counters().local(); }
  dataplane::udp::Worker& worker(unsigned index) { return *workers_[index]; }
  /// Runs on the worker's thread.
  template <class Work>
  auto on_worker(unsigned index, Work work) {
    return boost::asio::post(threads_.context(index), boost::asio::use_future(std::move(work)))
        .get();
  }

 private:
  struct Waiting {
    boost::asio::any_io_executor reply_to;
    dataplane::dns::Resolver::Handler handler;
  };

  void settle(const std::string& name, dataplane::dns::Resolver::Reply reply);
  void resolve(const std::string& name, boost::asio::any_io_executor reply_to,
               dataplane::dns::Resolver::Handler handler);

  const bool gro_;
  async::IoThreads threads_;
  std::vector<std::unique_ptr<dataplane::reactor::Poller>> pollers_;
  std::vector<std::unique_ptr<dataplane::udp::Worker>> workers_;

  std::mutex mutex_;
  std::map<std::string, dataplane::dns::Resolver::Reply> answers_;
  std::map<std::string, std::vector<Waiting>> waiting_;
  std::atomic<unsigned> lookups_{0};
};

}  // namespace portunus::test
