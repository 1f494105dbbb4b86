// One long dialogue, rerun with the session lost at every step, with every number of changes that
// the edge then misses, and with the replay of the next session lost at every step of its own.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "client/agent/edge_state.hpp"
#include "common/wire/rule_wire.hpp"
#include "tests/client/agent/dialogue.hpp"

namespace portunus::client::agent {
namespace {

using Messages = std::vector<v1::ServerMessage>;

/// What the server knows.
struct Truth {
  std::map<std::uint64_t, v1::Rule> rules;
  std::map<std::string, std::uint32_t> limits;
  std::map<std::string, v1::TrafficQuotaState> quotas;

  void apply(const v1::ServerMessage& message) {
    if (message.has_rule_update()) {
      const auto& update = message.rule_update();
      if (update.action() == v1::PUSH) {
        rules[update.rule().rule_id()] = update.rule();
      } else {
        rules.erase(update.rule().rule_id());
      }
    } else if (message.has_owner_rate_limit_update()) {
      const auto& update = message.owner_rate_limit_update();
      if (update.has_rate_limit()) {
        limits[update.owner_id()] = update.rate_limit().concurrent_connections();
      } else {
        limits.erase(update.owner_id());
      }
    } else {
      const auto& update = message.traffic_quota_update();
      if (update.has_state()) {
        quotas[update.user_id()] = update.state();
      } else {
        quotas.erase(update.user_id());
      }
    }
  }

  /// Quotas, limits, rules; each ascending, but patterns before rules without (control-wire 6.2).
  Messages replay() const {
    Messages out;
    for (const auto& [user, state] : quotas) {
      out.push_back(quota(user, state.budget_remaining_bytes(), state.exhausted()));
    }
    for (const auto& [owner, live] : limits) out.push_back(owner_limit(owner, live));
    for (const bool with_pattern : {true, false}) {
      for (const auto& [id, rule] : rules) {
        if (rule.has_sni_pattern() != with_pattern) continue;
        v1::ServerMessage message = push("replay-" + std::to_string(id), id, 1);
        rule_of(message) = rule;
        out.push_back(message);
      }
    }
    out.push_back(replay_complete());
    return out;
  }
};

/// What an engine holds after it was told what the edge decided; two rules collide in it as
/// data-plane sections 3 and 11 say.
class Mirror {
 public:
  struct Rule {
    model::RuleSpec spec;
    model::UdpSettings udp;
    std::uint64_t activation;
  };

  std::expected<void, std::string> activate(const Activate& action) {
    EXPECT_FALSE(rules.contains(action.rule.id));
    for (const auto& [id, rule] : rules) {
      if (const auto reason = collision(action.rule, rule.spec)) return std::unexpected(*reason);
    }
    if (action.rule.sni_pattern) sni_ports_.insert(action.rule.listen_port);
    rules[action.rule.id] = {action.rule, action.udp, ++activations_};
    return {};
  }
  void remove(RuleId id) {
    const std::uint16_t port = rules.at(id).spec.listen_port;
    rules.erase(id);
    const bool empty = std::ranges::none_of(
        rules, [port](const auto& entry) { return entry.second.spec.listen_port == port; });
    if (empty) sni_ports_.erase(port);
  }

  std::map<RuleId, Rule> rules;
  std::map<std::string, model::RateLimit> limits;
  std::map<std::string, SetQuota> quotas;

 private:
  std::optional<std::string> collision(const model::RuleSpec& rule,
                                       const model::RuleSpec& holder) const {
    if (rule.protocol != holder.protocol || !rule.overlaps(holder)) return {};
    if (rule.ports != 1 || holder.ports != 1) return "port_in_use";
    if (!sni_ports_.contains(rule.listen_port)) {
      return rule.sni_pattern ? "mode_change_unsupported" : "port_in_use";
    }
    if (rule.sni_pattern == holder.sni_pattern) return "duplicate_rule_id";
    return {};
  }

  std::set<std::uint16_t> sni_ports_;
  std::uint64_t activations_ = 0;
};

/// An edge on a mirror engine: drains end at once, and every status is kept.
class Edge {
 public:
  void begin_session() {
    state_.begin_session();
    feed(welcome());
  }
  void end_session() { state_.end_session(); }
  void feed(const v1::ServerMessage& message) { carry_out(state_.on_message(message, {})); }

  const Mirror& mirror() const { return mirror_; }
  std::vector<v1::RuleStatus> take_statuses() { return std::exchange(statuses_, {}); }

 private:
  void carry_out(const Actions& actions) {
    for (const Action& action : actions) {
      if (const auto* start = std::get_if<Activate>(&action)) {
        carry_out(state_.on_activated(mirror_.activate(*start)));
      } else if (const auto* end = std::get_if<Remove>(&action)) {
        mirror_.remove(end->id);
        carry_out(state_.on_removed(end->ticket));
      } else if (const auto* caps = std::get_if<LimitRule>(&action)) {
        mirror_.rules.at(caps->id).spec.rate_limit = caps->limit;
      } else if (const auto* tune = std::get_if<TuneUdp>(&action)) {
        mirror_.rules.at(tune->id).udp = tune->udp;
      } else if (const auto* terms = std::get_if<LimitOwner>(&action)) {
        mirror_.limits.erase(terms->owner_id);
        if (terms->limit) mirror_.limits[terms->owner_id] = *terms->limit;
      } else if (const auto* set = std::get_if<SetQuota>(&action)) {
        mirror_.quotas[set->owner_id] = *set;
      } else if (const auto* lifted = std::get_if<RemoveQuota>(&action)) {
        mirror_.quotas.erase(lifted->owner_id);
      } else if (const auto* news = std::get_if<SendStatus>(&action)) {
        statuses_.push_back(news->status);
      }
    }
  }

  EdgeState state_;
  Mirror mirror_;
  std::vector<v1::RuleStatus> statuses_;
};

v1::ServerMessage capped(v1::ServerMessage message, std::uint64_t in) {
  rule_of(message).mutable_rate_limit()->set_bandwidth_in_bps(in);
  return message;
}

v1::ServerMessage owned(v1::ServerMessage message, std::string_view owner) {
  rule_of(message).set_owner_id(std::string(owner));
  return message;
}

v1::ServerMessage over_udp(v1::ServerMessage message) {
  rule_of(message).set_protocol(v1::UDP);
  return message;
}

/// Everything that a server can want, ports and patterns that pass from rule to rule included.
const Messages& script() {
  static const Messages steps = {
      quota("alice", 1000),
      owner_limit("alice", 5),
      owned(push("a", 1, 8080), "alice"),
      over_udp(range_push("b", 2, 9000, 9003)),
      sni_push("c", 3, 443, "a.example"),
      push("d", 4, 443),
      sni_push("e", 5, 443, "b.example"),
      owned(capped(push("f", 1, 8080), 100), "alice"),
      remove("g", 3),
      sni_push("h", 6, 443, "a.example"),
      remove("i", 2),
      over_udp(range_push("j", 7, 9002, 9005)),
      owner_unlimit("alice"),
      owner_limit("bob", 2),
      quota("alice", -1, true),
      quota("bob", 50),
      remove("k", 4),
      push("l", 8, 443),
      owned(push("m", 1, 8080), "alice"),
      remove("n", 5),
      sni_push("o", 9, 443, "*.b.example"),
      remove("p", 6),
      unquota("alice"),
      // Reduced to its fallback the port takes no pattern any more (SNI-2).
      remove("q", 9),
      remove("r", 8),
      push("s", 10, 443),
      remove("t", 10),
      sni_push("u", 11, 443, "c.example"),
  };
  return steps;
}

void expect_equal(const Mirror& mirror, const Truth& truth) {
  ASSERT_EQ(mirror.rules.size(), truth.rules.size());
  for (const auto& [id, rule] : truth.rules) {
    const auto spec = wire::rule_from_wire(rule);
    ASSERT_TRUE(spec);
    ASSERT_TRUE(mirror.rules.contains(spec->id)) << id;
    EXPECT_EQ(mirror.rules.at(spec->id).spec, *spec) << id;
  }
  ASSERT_EQ(mirror.limits.size(), truth.limits.size());
  for (const auto& [owner, live] : truth.limits) {
    EXPECT_EQ(mirror.limits.at(owner).concurrent_connections, live) << owner;
  }
  ASSERT_EQ(mirror.quotas.size(), truth.quotas.size());
  for (const auto& [user, state] : truth.quotas) {
    EXPECT_EQ(mirror.quotas.at(user).exhausted, state.exhausted()) << user;
    EXPECT_EQ(mirror.quotas.at(user).remaining,
              static_cast<std::uint64_t>(std::max<std::int64_t>(0, state.budget_remaining_bytes())))
        << user;
  }
}

/// Activations of the rules that the server wants as they run, caps aside.
std::map<RuleId, std::uint64_t> kept(const Mirror& mirror, const Truth& truth) {
  std::map<RuleId, std::uint64_t> out;
  for (const auto& [id, running] : mirror.rules) {
    const auto it = truth.rules.find(id.value);
    if (it == truth.rules.end()) continue;
    auto spec = *wire::rule_from_wire(it->second);
    spec.rate_limit = running.spec.rate_limit;
    if (spec == running.spec) out.emplace(id, running.activation);
  }
  return out;
}

void expect_untouched(const Mirror& mirror, const std::map<RuleId, std::uint64_t>& before) {
  for (const auto& [id, activation] : before) {
    ASSERT_TRUE(mirror.rules.contains(id)) << "lost " << id.value;
    EXPECT_EQ(mirror.rules.at(id).activation, activation) << "rebound " << id.value;
  }
}

void expect_all_activated(const std::vector<v1::RuleStatus>& statuses, const Truth& truth) {
  std::map<std::uint64_t, int> answers;
  for (const v1::RuleStatus& status : statuses) {
    if (!status.request_id().starts_with("replay-")) continue;
    EXPECT_EQ(status.outcome(), v1::ACTIVATED) << status.ShortDebugString();
    ++answers[status.rule_id()];
  }
  EXPECT_EQ(answers.size(), truth.rules.size());
  for (const auto& [id, count] : answers) EXPECT_EQ(count, 1) << id;
}

/// The session is lost after `lost` steps, the edge misses `missed` more, and the next replay is
/// lost after `heard` of its messages.
void run_dialogue(std::size_t lost, std::size_t missed, std::size_t heard) {
  Edge edge;
  Truth truth;
  edge.begin_session();
  edge.feed(replay_complete());
  for (std::size_t i = 0; i < lost; ++i) {
    truth.apply(script()[i]);
    edge.feed(script()[i]);
  }
  expect_equal(edge.mirror(), truth);
  edge.end_session();
  for (std::size_t i = lost; i < lost + missed; ++i) truth.apply(script()[i]);
  const auto before = kept(edge.mirror(), truth);

  const Messages replay = truth.replay();
  edge.begin_session();
  for (std::size_t i = 0; i < heard; ++i) edge.feed(replay[i]);
  expect_untouched(edge.mirror(), before);
  edge.end_session();
  edge.take_statuses();

  edge.begin_session();
  for (const auto& message : replay) edge.feed(message);
  expect_untouched(edge.mirror(), before);
  expect_all_activated(edge.take_statuses(), truth);
  expect_equal(edge.mirror(), truth);
  for (std::size_t i = lost + missed; i < script().size(); ++i) {
    truth.apply(script()[i]);
    edge.feed(script()[i]);
    expect_equal(edge.mirror(), truth);
  }
  for (const v1::RuleStatus& status : edge.take_statuses()) {
    EXPECT_NE(status.outcome(), v1::FAILED) << status.ShortDebugString();
  }
}

TEST(EdgeReplay, D7_SNI_2_whatever_is_lost_the_replay_makes_good_and_touches_nothing_else) {
  for (std::size_t lost = 0; lost <= script().size(); ++lost) {
    for (std::size_t missed = 0; lost + missed <= script().size(); ++missed) {
      Truth truth;
      for (std::size_t i = 0; i < lost + missed; ++i) truth.apply(script()[i]);
      for (std::size_t heard = 0; heard < truth.replay().size(); ++heard) {
        run_dialogue(lost, missed, heard);
        ASSERT_FALSE(testing::Test::HasFailure())
            << "lost after " << lost << ", missed " << missed << ", heard " << heard;
      }
    }
  }
}

}  // namespace
}  // namespace portunus::client::agent
