#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/async/gate.hpp"
#include "server/rules/errc.hpp"
#include "server/rules/request_log.hpp"
#include "server/rules/rule_book.hpp"
#include "server/rules/rule_events.hpp"
#include "server/rules/rule_service.hpp"
#include "server/rules/stats_feed.hpp"

namespace portunus::server::rules {

/// What the service is made of. The way of a push is in rule_push.cpp, that of a change of caps in
/// rule_update.cpp, what an edge says and gets in rule_status.cpp, all else in rule_service.cpp.
class RuleService::Impl {
 public:
  Impl(boost::asio::any_io_executor executor, store::Store& store, const Clock& clock,
       RuleSettings settings)
      : executor_(executor),
        store_(store),
        clock_(clock),
        settings_(settings),
        gate_(executor),
        feed_(executor),
        events_(clock) {
    book_.on_erase([this](RuleId id) { feed_.end(id); });
  }

  async::Task<Result<store::RuleRow>> push(Actor actor, PushRequest request);
  async::Task<Result<store::RuleRow>> update(Actor actor, RuleId id, PushRequest request);
  async::Task<Result<>> remove(Actor actor, RuleId id);
  /// After the commit; false when the rule was never shown.
  bool on_removed(const store::RemovedRule& removed);
  std::vector<model::RuleSpec> begin_session(std::string_view client_id,
                                             const ClientCapabilities& capabilities);
  void on_status(std::string_view client_id, std::string_view client_name,
                 std::string_view request_id, RuleId rule, Outcome outcome, std::string reason);
  std::vector<model::OwnerUsage> on_report(std::string_view client_id, std::string_view client_name,
                                           const model::TrafficReport& report);

  /// The rule, if the actor may touch it: rule_not_found, not_owner.
  Result<const RuleBook::Entry*> find(const Actor& actor, RuleId id) const;
  /// For those who watch the rule; null while no report has arrived.
  SharedSnapshot snapshot(const store::RuleRow& row) const;
  /// Null when the edge is not connected, or nothing is sent any more.
  const ClientCapabilities* capabilities(std::string_view client_id) const;

  boost::asio::any_io_executor executor_;
  store::Store& store_;
  const Clock& clock_;
  const RuleSettings settings_;
  async::Gate gate_;
  RuleSink* sink_ = nullptr;
  RuleListener* listener_ = nullptr;
  PushRights rights_;
  RuleBook book_;
  RequestLog requests_;
  TrafficTotals traffic_;
  SniTotals sni_ports_;
  StatsFeed feed_;
  StatusEvents events_;
  bool stopping_ = false;

 private:
  /// A PUSH that is on its way.
  struct Sent {
    store::RuleRow row;
    std::string request_id;
    std::shared_ptr<StatusWait> wait;
  };

  void tell_collected(const store::RemovedRule& removed);
  async::Task<Result<store::RuleRow>> prepare(const Actor& actor, const PushRequest& request);
  async::Task<Result<store::RuleRow>> send_new(store::RuleRow row,
                                               std::chrono::seconds ack_timeout);
  /// Queues the PUSH; why it cannot be.
  Result<Sent> queue(store::RuleRow row);
  /// The status as applied, or ack_timeout. Logs the result.
  async::Task<Result<store::RuleRow>> outcome_of(Sent sent,
                                                 std::chrono::steady_clock::duration limit);
  /// A status takes its turn behind those of the same rule that are being applied.
  void take_status(RuleBook::Entry& entry, Outcome outcome, std::string reason,
                   std::shared_ptr<StatusWait> wait);
  async::Task<> settle(RuleId id, Outcome outcome, std::string reason,
                       std::shared_ptr<StatusWait> wait);
  async::Task<Result<store::RuleRow>> apply(RuleId id, Outcome outcome, std::string reason);
};

/// What answers a push that the client neither activated nor failed (http-api 8.5).
inline Error unexpected_outcome() {
  return {Errc::activation_failed, "unexpected_outcome"};
}

}  // namespace portunus::server::rules
