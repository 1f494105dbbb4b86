#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/forwarder/forwarder.hpp"

namespace portunus::test {

/// A forwarder with an owner's thread, called from the test's thread.
class Engine {
 public:
  explicit Engine(dataplane::ForwarderOptions options = {.workers = 2});
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  static model::RuleSpec rule(std::uint64_t id, std::uint16_t listen_port,
                              std::uint16_t target_port, std::string host = "127.0.0.1");
  /// A rule with a list of targets on 127.0.0.1.
  static model::RuleSpec list(std::uint64_t id, const std::vector<std::uint16_t>& target_ports);
  /// The failure reason, empty on success.
  std::string activate(model::RuleSpec spec);
  std::future<std::string> begin_activate(model::RuleSpec spec);
  /// Activates rule `id` on a free port, which it returns.
  std::uint16_t serve(std::uint64_t id, std::uint16_t target_port);
  /// The same with the listen port of `spec` replaced.
  std::uint16_t serve(model::RuleSpec spec);
  std::future<void> remove(std::uint64_t id, std::chrono::milliseconds grace);
  std::future<void> drain(std::chrono::milliseconds grace);
  bool live(std::uint64_t id);
  /// On the owner's thread, where such calls belong.
  void tune_udp(std::uint64_t id, model::UdpSettings settings);
  void set_quota(const std::string& owner, std::uint64_t remaining, bool exhausted);
  /// Failures reported through on_rule_failed(), as "<id> <reason>".
  std::vector<std::string> failures();
  /// Zeroes for a rule that is not live.
  model::RuleTraffic traffic(std::uint64_t id) const;
  /// Without a drain, as at an emergency exit.
  void destroy();
  dataplane::Forwarder& forwarder() { return *forwarder_; }
  /// What `work` returns for the forwarder on its owner's thread.
  template <class Work>
  auto on_owner(Work work) {
    return boost::asio::post(context_, boost::asio::use_future([this, work = std::move(work)] {
                               return work(*forwarder_);
                             }))
        .get();
  }

 private:
  boost::asio::io_context context_{1};
  std::vector<std::string> failures_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::jthread thread_;
  std::unique_ptr<dataplane::Forwarder> forwarder_;
};

}  // namespace portunus::test
