#pragma once

#include <memory>
#include <string>
#include <utility>

#include "common/async/gate.hpp"
#include "server/rules/errc.hpp"
#include "server/rules/request_log.hpp"
#include "server/rules/rule_book.hpp"
#include "server/rules/rule_events.hpp"
#include "server/rules/rule_service.hpp"
#include "server/rules/traffic_totals.hpp"

namespace portunus::server::rules {

/// What the service is made of. The way of a push is in rule_push.cpp, all else in
/// rule_service.cpp.
class RuleService::Impl {
 public:
  Impl(boost::asio::any_io_executor executor, store::Store& store, const Clock& clock)
      : executor_(executor), store_(store), clock_(clock), gate_(executor), events_(clock) {}

  async::Task<Result<store::RuleRow>> push(Actor actor, PushRequest request);
  async::Task<Result<>> remove(Actor actor, RuleId id);
  void on_status(std::string_view client_id, std::string_view client_name,
                 std::string_view request_id, RuleId rule, Outcome outcome, std::string reason);
  void on_report(std::string_view client_id, std::string_view client_name,
                 const model::TrafficReport& report);

  boost::asio::any_io_executor executor_;
  store::Store& store_;
  const Clock& clock_;
  async::Gate gate_;
  RuleSink* sink_ = nullptr;
  RuleBook book_;
  RequestLog requests_;
  TrafficTotals totals_;
  StatusEvents events_;
  bool stopping_ = false;

 private:
  async::Task<Result<store::RuleRow>> prepare(const Actor& actor, const PushRequest& request);
  async::Task<Result<store::RuleRow>> send(store::RuleRow row, std::chrono::seconds ack_timeout);
  async::Task<Result<store::RuleRow>> outcome_of(store::RuleRow row, std::string request_id,
                                                 std::shared_ptr<StatusWait> wait,
                                                 std::chrono::seconds ack_timeout);
  async::Task<> settle(RuleId id, Outcome outcome, std::string reason,
                       std::shared_ptr<StatusWait> wait);
  async::Task<Result<store::RuleRow>> apply(RuleId id, Outcome outcome, std::string reason);
};

/// What answers a push that the client neither activated nor failed (http-api 8.5).
inline Error unexpected_outcome() {
  return {Errc::activation_failed, "unexpected_outcome"};
}

}  // namespace portunus::server::rules
