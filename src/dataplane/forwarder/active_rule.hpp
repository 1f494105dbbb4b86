#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "dataplane/rules/live_rule.hpp"
#include "dataplane/udp/udp_rule.hpp"

namespace portunus::dataplane {

/// One activation as its owner sees it, from the bound listeners to the last connection. Lives on
/// the owner's executor.
class ActiveRule : public std::enable_shared_from_this<ActiveRule> {
 public:
  ActiveRule(boost::asio::any_io_executor owner, std::shared_ptr<rules::LiveRule> rule,
             unsigned cores);

  const std::shared_ptr<rules::LiveRule>& rule() const { return rule_; }
  /// What makes it a UDP rule; null for a TCP rule.
  void set_udp(std::shared_ptr<udp::UdpRule> udp) { udp_ = std::move(udp); }
  const std::shared_ptr<udp::UdpRule>& udp() const { return udp_; }

  /// Removal has begun: `abort` is called when the deadline passes before the rule is gone, and
  /// rule.removed is logged when it is gone.
  void begin_removal(SteadyTime deadline, std::function<void()> abort);
  /// The rule is being taken down because a part of it died; `gone` is called when it is gone.
  void begin_failure(std::function<void()> gone);
  /// Brings the deadline forward, never back.
  void hurry(SteadyTime deadline);
  /// `died` is called once with the role of the part that died (LIFE-5), also when it already has.
  void watch_death(std::function<void(const std::string& role)> died);
  /// Forgets what it was given to call, because the cores are about to go.
  void detach();

  /// Called once for each core, the first when its listeners are closed, the second when it has
  /// nothing left of the rule.
  void on_listeners_closed();
  void on_core_done();
  void on_died(const std::string& role);

  bool port_free() const { return listening_ == 0; }
  bool gone() const { return busy_ == 0; }
  async::Task<> wait_port_free();
  async::Task<> wait_gone();

 private:
  void arm();

  const std::shared_ptr<rules::LiveRule> rule_;
  std::shared_ptr<udp::UdpRule> udp_;
  unsigned listening_;
  unsigned busy_;
  std::function<void()> abort_;
  std::function<void()> failed_;
  std::function<void(const std::string& role)> died_;
  std::optional<std::string> dead_role_;
  bool removing_ = false;
  SteadyTime deadline_ = SteadyTime::max();
  boost::asio::steady_timer deadline_timer_;
  /// Never expires; cancelling wakes those who wait for a change.
  boost::asio::steady_timer changed_;
};

}  // namespace portunus::dataplane
