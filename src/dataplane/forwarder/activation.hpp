#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/async/task.hpp"
#include "common/model/rule.hpp"
#include "dataplane/forwarder/active_rule.hpp"
#include "dataplane/forwarder/cores.hpp"
#include "dataplane/rules/core_reports.hpp"

namespace portunus::dataplane {

/// Why a rule did not come to life: a failure reason of data-plane section 2, without the port,
/// and the port where binding failed.
struct StartFailure {
  std::string reason;
  std::optional<std::uint16_t> port = {};
};

/// What of the rule no engine could do, before anything of it exists.
std::optional<StartFailure> check_rule(const model::RuleSpec& spec);

/// Takes a rule into service on a core, on whose thread it is called: the port that the core
/// refused, if any.
using AddToCore =
    std::function<std::optional<std::uint16_t>(Core& core, rules::CoreReports reports)>;

/// Adds the rule to every core: the lowest port that any of them refused. Not to be cancelled.
async::Task<std::optional<std::uint16_t>> add_to_cores(Cores& cores,
                                                       boost::asio::any_io_executor owner,
                                                       std::shared_ptr<ActiveRule> rule,
                                                       AddToCore add);

/// Binds every port of a TCP rule, all or none, and takes them into service on every core. After a
/// failure nothing of the rule is left. On the owner's executor; not to be cancelled.
async::Task<std::optional<StartFailure>> start_tcp(Cores& cores, boost::asio::any_io_executor owner,
                                                   std::shared_ptr<ActiveRule> rule, bool splice);

/// The same for a UDP rule.
async::Task<std::optional<StartFailure>> start_udp(Cores& cores, boost::asio::any_io_executor owner,
                                                   std::shared_ptr<ActiveRule> rule);

/// Both reach every core; the rule is told as each has done it.
void close_listeners(Cores& cores, const boost::asio::any_io_executor& owner,
                     const std::shared_ptr<ActiveRule>& rule);
void cancel_sessions(Cores& cores, const std::shared_ptr<ActiveRule>& rule);

}  // namespace portunus::dataplane
