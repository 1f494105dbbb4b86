#include "client/agent/rule_applier.hpp"

#include <boost/asio/this_coro.hpp>
#include <utility>

namespace portunus::client::agent {

namespace asio = boost::asio;

RuleApplier::RuleApplier(asio::any_io_executor executor, RuleEngine& engine,
                         const AgentOptions& options)
    : engine_(engine),
      drain_window_(options.drain_window),
      state_(options.replay_quiet),
      stats_(options.stats_interval),
      drains_(std::move(executor)) {}

void RuleApplier::begin_session(Listener listener) {
  listener_ = std::move(listener);
  state_.begin_session();
}

void RuleApplier::end_session() {
  listener_ = {};
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
  ending_ = true;
  update_stats();
  Actions actions = state_.remove_all();
  co_await apply(std::move(actions));
}

async::Task<RuleApplier::Progress> RuleApplier::apply(Actions actions) {
  Progress out;
  for (Action& action : actions) {
    if (auto* up = std::get_if<Established>(&action)) {
      out.welcome = std::move(up->welcome);
    } else if (auto* given_up = std::get_if<GiveUp>(&action)) {
      out.give_up = std::move(given_up->error);
    } else if (auto* wanted = std::get_if<Activate>(&action)) {
      co_await activate(std::move(wanted->rule));
    } else if (const auto* unwanted = std::get_if<Remove>(&action)) {
      remove(*unwanted);
    } else if (const auto* news = std::get_if<SendStatus>(&action)) {
      if (listener_.send_status) listener_.send_status(news->status);
    }
  }
  co_return out;
}

async::Task<> RuleApplier::activate(model::RuleSpec rule) {
  const RuleId id = rule.id;
  const auto result = co_await engine_.activate(std::move(rule));
  if (!result) stats_.forget(id);  // also when it was to replace another
  emit(state_.on_activated(result));
}

void RuleApplier::remove(const Remove& action) {
  std::optional<model::RuleTraffic> replaced;
  if (action.replaced) {
    update_stats();
    replaced = stats_.replaced(action.id);
  } else if (!ending_) {
    stats_.forget(action.id);
  }
  // The removal begins with this call, before a replacement is activated.
  auto drain = engine_.remove(action.id, drain_window_);
  drains_.spawn(watch_drain(std::move(drain), action.ticket, replaced));
}

async::Task<> RuleApplier::watch_drain(async::Task<model::RuleTraffic> drain, std::uint64_t ticket,
                                       std::optional<model::RuleTraffic> replaced) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const model::RuleTraffic last = co_await std::move(drain);
  if (replaced) {
    stats_.replaced_ended(*replaced, last);
  } else if (ending_) {
    stats_.ended(last);
  }
  emit(state_.on_removed(ticket));
  if (listener_.rule_drained) listener_.rule_drained();
}

void RuleApplier::emit(const Actions& statuses) {
  for (const Action& action : statuses) {
    const auto* news = std::get_if<SendStatus>(&action);
    if (news != nullptr && listener_.send_status) listener_.send_status(news->status);
  }
}

async::Task<> RuleApplier::drained() {
  // The engine ends every removal by its window; an hour only bounds a broken one.
  co_await drains_.drain(drain_window_ + std::chrono::hours(1));
}

}  // namespace portunus::client::agent
