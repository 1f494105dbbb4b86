#include "client/agent/edge_state.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "client/agent/push_log.hpp"
#include "client/agent/rule_likeness.hpp"
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

/// 0 is the default, and what a peer sends beyond the bounds of data-plane section 1 meets them.
model::UdpSettings udp_settings(const v1::Welcome& welcome) {
  model::UdpSettings out;
  if (const std::uint32_t idle = welcome.udp_flow_idle_secs(); idle != 0) {
    out.flow_idle = std::chrono::seconds(std::clamp<std::uint32_t>(idle, 30, 300));
  }
  if (const std::uint32_t flows = welcome.udp_max_flows_per_rule(); flows != 0) {
    out.max_flows = std::min<std::uint32_t>(flows, 65535);
  }
  return out;
}

/// What the engine says when a port's SNI group does not take a rule.
bool is_sni_refusal(const std::string& reason) {
  return reason == "mode_change_unsupported" || reason == "duplicate_rule_id";
}

}  // namespace

void EdgeState::begin_session() {
  PORTUNUS_ASSERT(!pending_);
  connected_ = true;
  established_ = false;
  replaying_ = false;
  for (auto& [id, rule] : live_) rule.confirmed = false;
  owners_.begin_session();
}

/// A replay that did not come to its end removes nothing (5.1).
void EdgeState::end_session() {
  connected_ = false;
  replaying_ = false;
}

Actions EdgeState::on_message(const v1::ServerMessage& message, SteadyTime now) {
  Actions out;
  if (!established_) {
    if (message.has_welcome()) {
      welcome(message.welcome(), now, out);
    } else {
      out.emplace_back(GiveUp{"welcome_missing"});
    }
    return out;
  }
  switch (message.payload_case()) {
    case v1::ServerMessage::kRuleUpdate:
      on_update(message.rule_update(), now, out);
      break;
    case v1::ServerMessage::kOwnerRateLimitUpdate:
      owners_.on_limit(message.owner_rate_limit_update(), out);
      break;
    case v1::ServerMessage::kTrafficQuotaUpdate:
      owners_.on_quota(message.traffic_quota_update(), out);
      break;
    case v1::ServerMessage::kReplayComplete:
      end_replay(out);
      break;
    case v1::ServerMessage::kWelcome:         // a second one says nothing new
    case v1::ServerMessage::PAYLOAD_NOT_SET:  // of a newer server
      break;
  }
  return out;
}

void EdgeState::welcome(const v1::Welcome& message, SteadyTime now, Actions& out) {
  established_ = true;
  replaying_ = true;
  replay_ends_ = now + replay_quiet_;
  udp_ = udp_settings(message);
  out.emplace_back(Established{message});
}

void EdgeState::on_update(const v1::RuleUpdate& update, SteadyTime now, Actions& out) {
  const std::string id = std::to_string(update.rule().rule_id());
  if (update.action() != v1::PUSH && update.action() != v1::REMOVE) {
    log::log(Event::rule_update_unspecified_action,
             {{"request_id", update.request_id()}, {"rule_id", id}});
    return;
  }
  if (!update.has_rule()) {
    log::log(Event::rule_update_missing_rule, {{"request_id", update.request_id()}});
    return;
  }
  if (update.action() == v1::REMOVE) {
    on_remove(update, out);
    return;
  }
  if (replaying_) replay_ends_ = now + replay_quiet_;
  on_push(update, out);
}

void EdgeState::on_push(const v1::RuleUpdate& update, Actions& out) {
  PORTUNUS_ASSERT(!pending_);
  log_push(update);
  auto spec = wire::rule_from_wire(update.rule());
  if (!spec) {
    log_refusal(update, spec.error());
    refuse(update, spec.error().reason, out);
    return;
  }
  if (told_late(*spec, update.request_id(), out)) return;
  const auto known = live_.find(spec->id);
  if (known != live_.end() && runs_alike(known->second.spec, *spec)) {
    adopt(known->second, update, std::move(*spec), out);
    return;
  }
  if (known != live_.end()) {
    tear_down(known, {spec->id, {}, Draining::Answer::never}, out);
    std::get<Remove>(out.back()).replaced = true;
  }
  free_ports(*spec, out);
  pending_ = Pending{*spec, udp_, update.request_id()};
  out.emplace_back(Activate{std::move(*spec), udp_});
}

/// A replayed rule that runs already, or a hot update: no listener and no connection is touched,
/// only caps and UDP settings change (LIFE-4).
void EdgeState::adopt(LiveRule& rule, const v1::RuleUpdate& update, model::RuleSpec spec,
                      Actions& out) {
  if (rule.spec.rate_limit != spec.rate_limit) {
    out.emplace_back(LimitRule{spec.id, spec.rate_limit});
  }
  if (spec.protocol == model::Protocol::udp && rule.udp != udp_) {
    out.emplace_back(TuneUdp{spec.id, udp_});
    rule.udp = udp_;
  }
  rule.spec = std::move(spec);
  rule.request_id = update.request_id();
  rule.confirmed = true;
  out.emplace_back(status(rule.request_id, rule.spec.id, v1::ACTIVATED));
}

/// A rule that died between two sessions is reported when the server asks for it, once: nothing
/// brings a failed rule back by itself (control-wire 6.1).
bool EdgeState::told_late(const model::RuleSpec& spec, const std::string& request_id,
                          Actions& out) {
  const auto it = untold_.find(spec.id);
  if (it == untold_.end()) return false;
  const Untold untold = std::move(it->second);
  untold_.erase(it);
  if (!runs_alike(untold.spec, spec)) return false;
  out.emplace_back(status(request_id, spec.id, v1::FAILED, untold.reason));
  return true;
}

/// The replay gives ports to a rule while one that was not replayed yet still holds them. The
/// server lets no two rules collide, so the holder was removed there in the meantime; waiting for
/// the end of the replay would fail the new rule for good.
void EdgeState::free_ports(const model::RuleSpec& spec, Actions& out) {
  if (!replaying_) return;
  for (auto it = live_.begin(); it != live_.end();) {
    const auto rule = it++;
    const LiveRule& holder = rule->second;
    if (holder.confirmed || !displaces(spec, {holder.spec, holder.in_sni_group})) continue;
    tear_down_unasked(rule, out);
  }
}

bool EdgeState::joins_sni_group(const model::RuleSpec& spec) const {
  if (spec.protocol != model::Protocol::tcp || spec.ports != 1) return false;
  if (spec.sni_pattern) return true;
  return std::ranges::any_of(live_, [&spec](const auto& entry) {
    return entry.second.in_sni_group && entry.second.spec.listen_port == spec.listen_port;
  });
}

/// FAILED means that nothing is bound, so a running predecessor goes too.
void EdgeState::refuse(const v1::RuleUpdate& update, const std::string& reason, Actions& out) {
  const RuleId id{update.rule().rule_id()};
  untold_.erase(id);
  if (const auto known = live_.find(id); known != live_.end()) {
    tear_down(known, {id, {}, Draining::Answer::never}, out);
  }
  out.emplace_back(status(update.request_id(), id, v1::FAILED, reason));
}

void EdgeState::on_remove(const v1::RuleUpdate& update, Actions& out) {
  const RuleId id{update.rule().rule_id()};
  const auto known = live_.find(id);
  if (known == live_.end()) {
    untold_.erase(id);
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

void EdgeState::tear_down_unasked(LiveRules::iterator rule, Actions& out) {
  tear_down(rule, {rule->first, rule->second.request_id, Draining::Answer::unless_live}, out);
}

Actions EdgeState::on_activated(const std::expected<void, std::string>& result) {
  PORTUNUS_ASSERT(pending_);
  Pending pending = *std::exchange(pending_, std::nullopt);
  const RuleId id = pending.spec.id;
  if (result && pending.died) {
    return {status(pending.request_id, id, v1::FAILED, *pending.died)};
  }
  if (!result) {
    const std::string& reason = result.error().empty() ? "bind_failed" : result.error();
    if (is_sni_refusal(reason)) log_sni_refusal(pending.request_id, id, reason);
    return {status(pending.request_id, id, v1::FAILED, reason)};
  }
  Actions out{status(pending.request_id, id, v1::ACTIVATED)};
  const bool in_sni_group = joins_sni_group(pending.spec);
  live_[id] = LiveRule{.spec = std::move(pending.spec),
                       .udp = pending.udp,
                       .request_id = std::move(pending.request_id),
                       .confirmed = true,
                       .in_sni_group = in_sni_group};
  return out;
}

Actions EdgeState::on_removed(std::uint64_t ticket) {
  const auto it = draining_.find(ticket);
  PORTUNUS_ASSERT(it != draining_.end());
  const Draining done = std::move(it->second);
  draining_.erase(it);
  // A status is for the session that is on; without one the server's own deletion is final.
  if (!connected_ || !established_ || done.answer == Draining::Answer::never) return {};
  if (done.answer == Draining::Answer::unless_live && live_.contains(done.id)) return {};
  return {status(done.request_id, done.id, v1::REMOVED)};
}

bool EdgeState::runs(RuleId id) const {
  return live_.contains(id) || (pending_ && pending_->spec.id == id);
}

Actions EdgeState::on_rule_failed(RuleId id, const std::string& reason) {
  if (pending_ && pending_->spec.id == id) {
    pending_->died = reason;
    return {};
  }
  const auto it = live_.find(id);
  if (it == live_.end()) return {};  // its removal tells its end
  const LiveRule rule = std::move(it->second);
  live_.erase(it);
  if (connected_ && established_) return {status(rule.request_id, id, v1::FAILED, reason)};
  untold_[id] = Untold{rule.spec, reason};
  return {};
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
  untold_.clear();
  for (auto it = live_.begin(); it != live_.end();) {
    const auto rule = it++;
    if (!rule->second.confirmed) tear_down_unasked(rule, out);
  }
  owners_.end_replay(out);
}

Actions EdgeState::remove_all() {
  Actions out;
  replaying_ = false;
  while (!live_.empty()) tear_down_unasked(live_.begin(), out);
  return out;
}

}  // namespace portunus::client::agent
