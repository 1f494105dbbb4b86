#include "client/agent/edge_state.hpp"

#include <iterator>
#include <utility>

#include "common/base/assert.hpp"
#include "common/log/logger.hpp"
#include "common/wire/rule_wire.hpp"

namespace portunus::client::agent {
namespace {

using log::Event;

SendStatus status(const std::string& request_id, RuleId id, v1::ActivationOutcome outcome,
                  const std::string& reason = {}) {
  SendStatus out;
  out.status.set_request_id(request_id);
  out.status.set_rule_id(id.value);
  out.status.set_outcome(outcome);
  out.status.set_reason(reason);
  return out;
}

/// True when running `a` is running `b`: the owner and the address family order change nothing of
/// what a rule with an address as its target does.
bool forwards_alike(const model::RuleSpec& a, const model::RuleSpec& b) {
  return a.protocol == b.protocol && a.listen_port == b.listen_port && a.target == b.target;
}

std::string protocol_text(v1::Protocol protocol) {
  switch (static_cast<int>(protocol)) {
    case v1::PROTOCOL_UNSPECIFIED:
    case v1::TCP:
      return "tcp";
    case v1::UDP:
      return "udp";
    default:
      return std::to_string(static_cast<int>(protocol));
  }
}

std::uint32_t last_port(const v1::Rule& rule) {
  return rule.listen_port_end() == 0 ? rule.listen_port() : rule.listen_port_end();
}

void log_refusal(const v1::RuleUpdate& update, const wire::RuleRefusal& refusal) {
  const v1::Rule& rule = update.rule();
  const std::string id = std::to_string(rule.rule_id());
  using Kind = wire::RuleRefusal::Kind;
  switch (refusal.kind) {
    case Kind::range:
      log::log(Event::rule_push_invalid_range,
               {{"request_id", update.request_id()}, {"rule_id", id}, {"error", refusal.detail}});
      return;
    case Kind::target:
      log::log(Event::rule_push_invalid_target, {{"request_id", update.request_id()},
                                                 {"rule_id", id},
                                                 {"target_index", refusal.target_index},
                                                 {"error", refusal.detail}});
      return;
    case Kind::protocol:
    case Kind::unsupported:
      log::log(Event::rule_failed, {{"rule_id", id},
                                    {"listen_port", rule.listen_port()},
                                    {"listen_port_end", last_port(rule)},
                                    {"reason", refusal.reason}});
      return;
  }
}

}  // namespace

void EdgeState::begin_session() {
  PORTUNUS_ASSERT(!pending_);
  established_ = false;
  replaying_ = false;
  for (auto& [id, rule] : live_) rule.confirmed = false;
}

Actions EdgeState::on_message(const v1::ServerMessage& message, SteadyTime now) {
  if (!established_) {
    if (!message.has_welcome()) return {GiveUp{"welcome_missing"}};
    established_ = true;
    replaying_ = true;
    replay_ends_ = now + replay_quiet_;
    return {Established{message.welcome()}};
  }
  Actions out;
  switch (message.payload_case()) {
    case v1::ServerMessage::kRuleUpdate:
      return on_update(message.rule_update(), now);
    case v1::ServerMessage::kReplayComplete:
      end_replay(out);
      break;
    case v1::ServerMessage::kWelcome:               // a second one says nothing new
    case v1::ServerMessage::kOwnerRateLimitUpdate:  // comes with rate limits
    case v1::ServerMessage::kTrafficQuotaUpdate:    // comes with quotas
    case v1::ServerMessage::PAYLOAD_NOT_SET:        // of a newer server
      break;
  }
  return out;
}

Actions EdgeState::on_update(const v1::RuleUpdate& update, SteadyTime now) {
  const std::string id = std::to_string(update.rule().rule_id());
  if (update.action() != v1::PUSH && update.action() != v1::REMOVE) {
    log::log(Event::rule_update_unspecified_action,
             {{"request_id", update.request_id()}, {"rule_id", id}});
    return {};
  }
  if (!update.has_rule()) {
    log::log(Event::rule_update_missing_rule, {{"request_id", update.request_id()}});
    return {};
  }
  Actions out;
  if (update.action() == v1::REMOVE) {
    on_remove(update, out);
  } else {
    if (replaying_) replay_ends_ = now + replay_quiet_;
    on_push(update, out);
  }
  return out;
}

void EdgeState::on_push(const v1::RuleUpdate& update, Actions& out) {
  PORTUNUS_ASSERT(!pending_);
  const v1::Rule& pushed = update.rule();
  log::log(Event::rule_received, {{"rule_id", std::to_string(pushed.rule_id())},
                                  {"request_id", update.request_id()},
                                  {"listen_port", pushed.listen_port()},
                                  {"listen_port_end", last_port(pushed)},
                                  {"protocol", protocol_text(pushed.protocol())}});
  auto spec = wire::rule_from_wire(pushed);
  if (!spec) {
    log_refusal(update, spec.error());
    refuse(update, spec.error().reason, out);
    return;
  }
  const auto known = live_.find(spec->id);
  if (known != live_.end() && forwards_alike(known->second.spec, *spec)) {
    adopt(known->second, update, std::move(*spec), out);
    return;
  }
  if (known != live_.end()) {
    tear_down(known, {spec->id, {}, Draining::Answer::never}, out);
    std::get<Remove>(out.back()).replaced = true;
  }
  free_port(*spec, out);
  pending_ = Pending{*spec, update.request_id()};
  out.emplace_back(Activate{std::move(*spec)});
}

/// A replayed rule that runs already, or a hot update that changes nothing the engine has: no
/// listener and no connection is touched.
void EdgeState::adopt(LiveRule& rule, const v1::RuleUpdate& update, model::RuleSpec spec,
                      Actions& out) {
  rule.spec = std::move(spec);
  rule.request_id = update.request_id();
  rule.confirmed = true;
  out.emplace_back(status(rule.request_id, rule.spec.id, v1::ACTIVATED));
}

/// The replay gives a port to a rule while one that was not replayed yet still holds it. The server
/// lets no two rules share a port, so the holder was removed there in the meantime; waiting for the
/// end of the replay would fail the new rule for good.
void EdgeState::free_port(const model::RuleSpec& spec, Actions& out) {
  if (!replaying_) return;
  for (auto it = live_.begin(); it != live_.end();) {
    const auto rule = it++;
    const LiveRule& holder = rule->second;
    if (holder.confirmed || holder.spec.protocol != spec.protocol ||
        holder.spec.listen_port != spec.listen_port) {
      continue;
    }
    tear_down(rule, {rule->first, holder.request_id, Draining::Answer::unless_live}, out);
  }
}

/// FAILED means that nothing is bound, so a running predecessor goes too.
void EdgeState::refuse(const v1::RuleUpdate& update, const std::string& reason, Actions& out) {
  const RuleId id{update.rule().rule_id()};
  if (const auto known = live_.find(id); known != live_.end()) {
    tear_down(known, {id, {}, Draining::Answer::never}, out);
  }
  out.emplace_back(status(update.request_id(), id, v1::FAILED, reason));
}

void EdgeState::on_remove(const v1::RuleUpdate& update, Actions& out) {
  const RuleId id{update.rule().rule_id()};
  const auto known = live_.find(id);
  if (known == live_.end()) {
    log::log(Event::rule_remove_unknown,
             {{"request_id", update.request_id()}, {"rule_id", std::to_string(id.value)}});
    return;
  }
  tear_down(known, {id, update.request_id(), Draining::Answer::always}, out);
}

void EdgeState::tear_down(LiveRules::iterator rule, Draining draining, Actions& out) {
  const std::uint64_t ticket = ++last_ticket_;
  out.emplace_back(Remove{rule->first, ticket, false});
  draining_.emplace(ticket, std::move(draining));
  live_.erase(rule);
}

Actions EdgeState::on_activated(const std::expected<void, std::string>& result) {
  PORTUNUS_ASSERT(pending_);
  Pending pending = *std::exchange(pending_, std::nullopt);
  const RuleId id = pending.spec.id;
  if (!result) {
    const std::string& reason = result.error().empty() ? "bind_failed" : result.error();
    return {status(pending.request_id, id, v1::FAILED, reason)};
  }
  Actions out{status(pending.request_id, id, v1::ACTIVATED)};
  live_[id] = LiveRule{std::move(pending.spec), std::move(pending.request_id), true};
  return out;
}

Actions EdgeState::on_removed(std::uint64_t ticket) {
  const auto it = draining_.find(ticket);
  PORTUNUS_ASSERT(it != draining_.end());
  const Draining done = std::move(it->second);
  draining_.erase(it);
  // A status is for the session that is on; without one the server's own deletion is final.
  if (!established_ || done.answer == Draining::Answer::never) return {};
  if (done.answer == Draining::Answer::unless_live && live_.contains(done.id)) return {};
  return {status(done.request_id, done.id, v1::REMOVED)};
}

std::optional<SteadyTime> EdgeState::deadline() const {
  if (!replaying_) return std::nullopt;
  return replay_ends_;
}

Actions EdgeState::on_time(SteadyTime now) {
  Actions out;
  if (replaying_ && now >= replay_ends_) end_replay(out);
  return out;
}

void EdgeState::end_replay(Actions& out) {
  if (!replaying_) return;
  replaying_ = false;
  for (auto it = live_.begin(); it != live_.end();) {
    const auto rule = it++;
    if (rule->second.confirmed) continue;
    tear_down(rule, {rule->first, rule->second.request_id, Draining::Answer::unless_live}, out);
  }
}

Actions EdgeState::remove_all() {
  Actions out;
  replaying_ = false;
  for (auto it = live_.begin(); it != live_.end();) {
    const auto rule = it++;
    tear_down(rule, {rule->first, rule->second.request_id, Draining::Answer::unless_live}, out);
  }
  return out;
}

}  // namespace portunus::client::agent
