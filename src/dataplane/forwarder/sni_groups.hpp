#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "common/async/task.hpp"
#include "common/model/traffic.hpp"
#include "dataplane/forwarder/activation.hpp"
#include "dataplane/forwarder/active_rule.hpp"
#include "dataplane/forwarder/cores.hpp"

namespace portunus::dataplane {

/// The TCP ports in SNI mode, as their owner sees them. Such a port belongs to all its members: the
/// first binds it, everybody's coming and going is published to the cores as one snapshot, and the
/// last one's going closes it (SNI-2, SNI-3, DRN-4). Lives on the owner's executor, but for
/// traffic(); the mutex is for that, and no packet ever meets it.
class SniGroups {
 public:
  SniGroups(Cores& cores, boost::asio::any_io_executor owner, bool splice);
  ~SniGroups();
  SniGroups(const SniGroups&) = delete;
  SniGroups& operator=(const SniGroups&) = delete;

  bool in_sni_mode(std::uint16_t port) const;
  /// Waits until it is known whether a port that is just being opened can be. Not to be cancelled.
  async::Task<> settled(std::uint16_t port);
  /// Makes a rule of one TCP port a member of its port, which is settled. After a failure nothing
  /// of the rule is left. Not to be cancelled.
  async::Task<std::optional<StartFailure>> join(std::shared_ptr<ActiveRule> rule);
  /// Its connections go on; newcomers find the port without it, or closed. Nothing for a rule that
  /// is no member.
  void leave(const rules::LiveRule& rule);

  /// By port, ascending. Any thread.
  std::vector<model::SniPortTraffic> traffic() const;

 private:
  struct Port;
  using Rule = std::shared_ptr<ActiveRule>;

  async::Task<std::optional<StartFailure>> open(Rule rule);
  async::Task<std::optional<StartFailure>> join_open(std::shared_ptr<Port> port, Rule rule);
  std::shared_ptr<Port> find(std::uint16_t number) const;
  void erase(std::uint16_t number);

  Cores& cores_;
  const boost::asio::any_io_executor owner_;
  const bool splice_;
  std::map<std::uint16_t, std::shared_ptr<Port>> ports_;
  mutable std::mutex mutex_;
};

}  // namespace portunus::dataplane
