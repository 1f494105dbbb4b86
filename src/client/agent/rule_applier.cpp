#include "client/agent/rule_applier.hpp"

#include <boost/asio/this_coro.hpp>
#include <utility>

#include "client/agent/owner_terms.hpp"

namespace portunus::client::agent {

namespace asio = boost::asio;

RuleApplier::RuleApplier(asio::any_io_executor executor, RuleEngine& engine,
                         const AgentOptions& options)
    : engine_(engine),
      drain_window_(options.drain_window),
      state_(options.replay_quiet),
      stats_(options.stats_interval),
      drains_(std::move(executor)) {
  engine_.on_rule_failed([this](const model::RuleTraffic& last, const std::string& reason) {
    on_rule_failed(last, reason);
  });
}

RuleApplier::~RuleApplier() {
  engine_.on_rule_failed({});
}

void RuleApplier::begin_session(Listener listener) {
  listener_ = std::move(listener);
  state_.begin_session();
}

void RuleApplier::end_session() {
  listener_ = {};
  state_.end_session();
  stats_.end_session();
}

async::Task<RuleApplier::Progress> RuleApplier::on_message(const v1::ServerMessage& message,
                                                           SteadyTime now) {
  Actions actions = state_.on_message(message, now);
  return apply(std::move(actions));
}

async::Task<> RuleApplier::on_time(SteadyTime now) {
  Actions actions = state_.on_time(now);
  co_await apply(std::move(actions));
}

async::Task<> RuleApplier::remove_all() {
  update_stats();
  ending_ = true;
  Actions actions = state_.remove_all();
  co_await apply(std::move(actions));
}

void RuleApplier::update_stats() {
  stats_.update_rules(engine_.counters());
  if (ending_) update_ending_rules();
  stats_.update_owners(engine_.owners());
  update_sni_stats();
}

/// What drains at the end of the process goes on in the reports, period by period.
void RuleApplier::update_ending_rules() {
  for (const model::RuleTraffic& entry : engine_.draining()) {
    // A former activation under the same id is told apart by its end alone.
    const bool only_one = !drains_before_end_.contains(entry.rule);
    if (only_one && drains_at_end_.contains(entry.rule)) stats_.update_rules({&entry, 1});
  }
}

/// At the end the ports leave SNI mode, and their last numbers stay in the reports as those of the
/// rules do.
void RuleApplier::update_sni_stats() {
  if (!ending_) stats_.update_sni_ports(engine_.sni_ports());
}

async::Task<RuleApplier::Progress> RuleApplier::apply(Actions actions) {
  Progress out;
  for (Action& action : actions) {
    if (auto* wanted = std::get_if<Activate>(&action)) {
      co_await activate(std::move(*wanted));
    } else {
      carry_out(action, out);
    }
  }
  co_return out;
}

void RuleApplier::carry_out(const Action& action, Progress& out) {
  if (const auto* up = std::get_if<Established>(&action)) {
    out.welcome = up->welcome;
  } else if (const auto* given_up = std::get_if<GiveUp>(&action)) {
    out.give_up = given_up->error;
  } else if (const auto* unwanted = std::get_if<Remove>(&action)) {
    remove(*unwanted);
  } else if (const auto* limit = std::get_if<LimitRule>(&action)) {
    engine_.limit_rule(limit->id, limit->limit);
  } else if (const auto* tune = std::get_if<TuneUdp>(&action)) {
    engine_.tune_udp(tune->id, tune->udp);
  } else if (const auto* terms = std::get_if<LimitOwner>(&action)) {
    engine_.limit_owner(terms->owner_id, terms->limit);
  } else if (const auto* quota = std::get_if<SetQuota>(&action)) {
    engine_.set_quota(quota->owner_id, quota->remaining, quota->exhausted);
    log_applied(*quota);
  } else if (const auto* lifted = std::get_if<RemoveQuota>(&action)) {
    engine_.remove_quota(lifted->owner_id);
    log_applied(*lifted);
  } else if (const auto* news = std::get_if<SendStatus>(&action)) {
    emit(*news);
  }
}

async::Task<> RuleApplier::activate(Activate action) {
  const RuleId id = action.rule.id;
  const auto result = co_await engine_.activate(std::move(action.rule), action.udp);
  if (!result) stats_.retire(id);  // also when it was to replace another
  emit(state_.on_activated(result));
}

void RuleApplier::remove(const Remove& action) {
  std::optional<model::RuleTraffic> replaced;
  if (const auto counted = engine_.counters(action.id)) stats_.update_rules({&*counted, 1});
  if (action.replaced) {
    replaced = stats_.replaced(action.id);
  } else if (!ending_) {
    stats_.retire(action.id);
  }
  // A port that leaves SNI mode and enters it again counts anew, which two updates would not show
  // if they stood on either side of both.
  update_sni_stats();
  // The removal begins with this call, before a replacement is activated.
  auto drain = engine_.remove(action.id, drain_window_);
  update_sni_stats();
  if (ending_) {
    drains_at_end_.insert(action.id);
  } else {
    drains_before_end_.insert(action.id);
  }
  drains_.spawn(watch_drain(std::move(drain), action.ticket, replaced, ending_));
}

void RuleApplier::on_rule_failed(const model::RuleTraffic& last, const std::string& reason) {
  if (!state_.runs(last.rule)) return;  // its removal tells its end
  stats_.ended(last);
  stats_.retire(last.rule);
  emit(state_.on_rule_failed(last.rule, reason));
}

async::Task<> RuleApplier::watch_drain(async::Task<model::RuleTraffic> drain, std::uint64_t ticket,
                                       std::optional<model::RuleTraffic> replaced, bool at_end) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const model::RuleTraffic last = co_await std::move(drain);
  if (at_end) {
    drains_at_end_.erase(last.rule);
    stats_.ended(last);
  } else {
    drains_before_end_.extract(last.rule);
    if (replaced) stats_.replaced_ended(*replaced, last);
  }
  emit(state_.on_removed(ticket));
  if (listener_.rule_drained) listener_.rule_drained();
}

void RuleApplier::emit(const Actions& statuses) {
  for (const Action& action : statuses) emit(std::get<SendStatus>(action));
}

void RuleApplier::emit(const SendStatus& news) {
  if (listener_.send_status) listener_.send_status(news.status);
}

async::Task<> RuleApplier::drained() {
  // The engine ends every removal by its window; an hour only bounds a broken one.
  co_await drains_.drain(drain_window_ + std::chrono::hours(1));
}

}  // namespace portunus::client::agent
