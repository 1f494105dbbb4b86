#include <map>
#include <utility>

#include "common/base/saturating.hpp"
#include "common/base/ulid.hpp"
#include "common/log/logger.hpp"
#include "server/rules/rule_events.hpp"
#include "server/rules/rule_gates.hpp"
#include "server/rules/rule_service_impl.hpp"
#include "server/store/rule_store.hpp"

// What an edge gets when it comes and what it says afterwards (control-wire 6.2, 6.3, 8).

namespace portunus::server::rules {

using store::RuleRow;
using store::RuleState;

std::vector<model::RuleSpec> RuleService::Impl::begin_session(
    std::string_view client_id, const ClientCapabilities& capabilities) {
  requests_.end_session(client_id);
  traffic_.start_session(client_id, book_.of_client(client_id));
  sni_ports_.start_session(client_id);
  std::vector<model::RuleSpec> out;
  for (RuleBook::Entry* entry : book_.start_replay(client_id)) {
    const auto closed = closed_at_replay(entry->row.spec, capabilities);
    if (!closed) {
      out.push_back(entry->row.spec);
    } else if (!stopping_) {
      const std::string reason = make_error_code(*closed).message();
      log_push_result(entry->row, "replay-" + make_ulid(clock_), "failed", reason);
      take_status(*entry, Outcome::failed, reason, nullptr);
    }
  }
  return out;
}

void RuleService::Impl::on_status(std::string_view client_id, std::string_view client_name,
                                  std::string_view request_id, RuleId rule, Outcome outcome,
                                  std::string reason) {
  if (stopping_) return;
  RuleBook::Entry* entry = book_.find(rule);
  if (entry != nullptr && entry->row.client_id != client_id) {
    return events_.wrong_client(client_name, rule, request_id, entry->row.client_name);
  }
  const auto request = requests_.take(request_id, client_id, rule);
  if (request && request->kind == RequestLog::Kind::remove && outcome == Outcome::removed) return;
  auto wait = request ? request->wait : requests_.open_wait(client_id, rule);
  if (wait && !wait->open()) wait = nullptr;
  const bool decides = outcome == Outcome::activated || outcome == Outcome::failed;
  if (entry == nullptr || (!wait && !decides)) {
    return events_.unmatched(client_name, rule, request_id);
  }
  if (wait) wait->arrived();
  take_status(*entry, outcome, std::move(reason), std::move(wait));
}

void RuleService::Impl::take_status(RuleBook::Entry& entry, Outcome outcome, std::string reason,
                                    std::shared_ptr<StatusWait> wait) {
  if (entry.settling && !wait) {
    entry.later = {outcome, std::move(reason)};
    return;
  }
  entry.settling = true;
  gate_.spawn(settle(entry.row.spec.id, outcome, std::move(reason), std::move(wait)));
}

async::Task<> RuleService::Impl::settle(RuleId id, Outcome outcome, std::string reason,
                                        std::shared_ptr<StatusWait> wait) {
  Result<RuleRow> answer = co_await apply(id, outcome, std::move(reason));
  if (wait) wait->settle(std::move(answer));
  for (RuleBook::Entry* entry = book_.find(id); entry != nullptr && entry->later;
       entry = book_.find(id)) {
    RuleBook::LaterStatus later = *std::exchange(entry->later, std::nullopt);
    (void)co_await apply(id, later.outcome, std::move(later.reason));
  }
  if (RuleBook::Entry* entry = book_.find(id)) entry->settling = false;
}

/// The rule as a status leaves it, or why it is not active.
async::Task<Result<RuleRow>> RuleService::Impl::apply(RuleId id, Outcome outcome,
                                                      std::string reason) {
  RuleBook::Entry* entry = book_.find(id);
  const bool active = outcome == Outcome::activated;
  if (entry == nullptr || (!active && outcome != Outcome::failed)) {
    co_return fail(unexpected_outcome());
  }
  if (!active && reason.empty()) reason = "unspecified";
  const RuleState state = active ? RuleState::active : RuleState::failed;
  if (active && entry->stored == state) {
    // Adopted in place after a reconnect: only what is shown changes.
    entry->row.state = state;
    co_return entry->row;
  }

  const SystemTime now = clock_.now();
  auto change = [id, state, reason, now](store::Connection& connection) {
    return store::set_rule_state(connection, id, state, reason, now);
  };
  const Result<bool> changed = co_await store_.write(std::move(change));
  entry = book_.find(id);
  if (!changed) {
    log::log(log::Event::operator_store_error, {{"error", changed.error().text()}});
    co_return fail(changed.error());
  }
  if (!*changed || entry == nullptr) co_return fail(unexpected_outcome());
  book_.set_state(*entry, state, reason, now);
  if (active) co_return entry->row;
  co_return fail({Errc::activation_failed, std::move(reason)});
}

std::vector<model::OwnerUsage> RuleService::Impl::on_report(std::string_view client_id,
                                                            std::string_view client_name,
                                                            const model::TrafficReport& report) {
  const SystemTime now = clock_.now();
  std::map<std::string, model::OwnerUsage> usage;
  for (const model::RuleTraffic& traffic : report.rules) {
    const RuleBook::Entry* entry = book_.find(traffic.rule);
    if (entry == nullptr) {
      traffic_.report_late(client_id, traffic);
    } else if (entry->row.client_id == client_id) {
      const ByteTotals added = traffic_.report(entry->row, traffic, now);
      if (feed_.watched(traffic.rule)) feed_.publish(traffic.rule, snapshot(entry->row));
      const std::string& owner = entry->row.spec.owner_id;
      if ((added.in == 0 && added.out == 0) || owner.empty()) continue;
      model::OwnerUsage& sum = usage[owner];
      sum.owner_id = owner;
      add_saturating(sum.bytes_in, added.in);
      add_saturating(sum.bytes_out, added.out);
    }
  }
  for (const model::SniPortTraffic& port : report.sni_ports) {
    // Whatever an edge says, it makes no more rows than it has SNI ports.
    if (sni_ports_.knows(client_id, port.listen_port) ||
        book_.has_sni_port(client_id, port.listen_port)) {
      sni_ports_.report(client_id, client_name, port);
    }
  }
  std::vector<model::OwnerUsage> out;
  for (auto& [owner, sum] : usage) out.push_back(std::move(sum));
  return out;
}

}  // namespace portunus::server::rules
