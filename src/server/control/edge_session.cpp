#include "server/control/edge_session.hpp"

#include <algorithm>
#include <utility>

#include "common/base/ulid.hpp"
#include "common/log/logger.hpp"
#include "common/model/client_version.hpp"
#include "common/wire/traffic_wire.hpp"

namespace portunus::server::control {
namespace {

using log::Event;

/// Text of a peer that is kept beyond its message.
constexpr std::size_t kMaxVersion = 64;
constexpr std::size_t kMaxReason = 1024;

/// Not longer than `limit` bytes, cut at a character.
std::string cut(std::string_view text, std::size_t limit) {
  if (text.size() > limit) {
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U) --limit;
    text = text.substr(0, limit);
  }
  return std::string(text);
}

/// Known protocols in the order given, each once; 0 and unknown numbers are dropped.
std::vector<std::string> protocols_of(const v1::Hello& hello) {
  std::vector<std::string> names;
  for (const int number : hello.supported_protocols()) {
    if (number != v1::TCP && number != v1::UDP) continue;
    std::string name(number == v1::TCP ? "tcp" : "udp");
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

rules::Outcome outcome_of(v1::ActivationOutcome outcome) {
  if (outcome == v1::ACTIVATED) return rules::Outcome::activated;
  if (outcome == v1::FAILED) return rules::Outcome::failed;
  if (outcome == v1::REMOVED) return rules::Outcome::removed;
  return rules::Outcome::other;  // unspecified, or a number of a later release
}

/// control-wire 5.2 and observability 2: what the operator or the edge did on purpose is INFO.
log::Level level_of(std::string_view reason) {
  const bool planned =
      reason == "client_closed" || reason == "superseded" || reason == "server_shutdown";
  return planned ? log::Level::info : log::Level::warn;
}

}  // namespace

EdgeSession::EdgeSession(Identity identity, RuleFeed& rules, const LimitFeed& limits,
                         const Clock& clock, WelcomeSettings settings)
    : identity_(std::move(identity)),
      rules_(rules),
      limits_(limits),
      clock_(clock),
      settings_(settings) {}

void EdgeSession::on_message(v1::ClientMessage message) {
  if (state_ == State::opening) return open(std::move(message));
  if (state_ == State::live) process(message);
}

void EdgeSession::open(v1::ClientMessage first) {
  state_ = State::live;
  std::vector<std::string> protocols;
  bool mark_end = false;
  if (first.has_hello()) {
    const v1::Hello& hello = first.hello();
    protocols = protocols_of(hello);
    capabilities_.version = cut(hello.client_version(), kMaxVersion);
    mark_end = !hello.instance_id().empty();
    log::log(Event::client_hello, {{"client_name", identity_.client_name},
                                   {"protocol_version", hello.protocol_version()},
                                   {"client_version", hello.client_version()},
                                   {"supported_protocols", protocols}});
  } else {
    held_ = std::move(first);
  }
  if (protocols.empty()) protocols.emplace_back("tcp");
  capabilities_.udp = std::ranges::find(protocols, "udp") != protocols.end();
  log::log(Event::client_connected, {{"client_name", identity_.client_name},
                                     {"remote_addr", identity_.remote_addr},
                                     {"session_id", std::to_string(identity_.id.value)},
                                     {"supported_protocols", protocols}});
  begun_ = true;
  outbox_.begin(replay(), mark_end);
  wake_();
}

/// A gate that is closed here keeps the step out of the replay (control-wire 9).
Outbox::Contents EdgeSession::replay() const {
  const std::string& client = identity_.client_id;
  Outbox::Contents out;
  out.rules = rules_.begin_session(client, capabilities_);
  if (model::supports(capabilities_.version, model::kNeedsQuota)) {
    out.quotas = limits_.quota_users(client);
  }
  if (model::supports(capabilities_.version, model::kNeedsRateLimit)) {
    out.owner_caps = limits_.capped_owners(client);
  }
  return out;
}

void EdgeSession::process(const v1::ClientMessage& message) {
  switch (message.payload_case()) {
    case v1::ClientMessage::kHello:
      log::log(Event::client_hello_after_welcome,
               {{"client_name", identity_.client_name},
                {"protocol_version", message.hello().protocol_version()},
                {"client_version", message.hello().client_version()}});
      return;
    case v1::ClientMessage::kRuleStatus:
      return on_status(message.rule_status());
    case v1::ClientMessage::kStatsReport:
      return on_report(message.stats_report());
    case v1::ClientMessage::PAYLOAD_NOT_SET:
      return;  // a payload of a later release: skipped, never an error (control-wire 2.6)
  }
}

void EdgeSession::on_status(const v1::RuleStatus& status) {
  rules_.on_status(identity_.client_id, identity_.client_name, status.request_id(),
                   RuleId{status.rule_id()}, outcome_of(status.outcome()),
                   cut(status.reason(), kMaxReason));
}

void EdgeSession::on_report(const v1::StatsReport& report) {
  log::log(Event::client_stats_report, {{"client_name", identity_.client_name},
                                        {"rule_count", report.stats_size()},
                                        {"sent_at_unix_ms", report.sent_at_unix_ms()}});
  rules_.on_report(identity_.client_id, identity_.client_name, wire::report_from_wire(report));
}

bool EdgeSession::push(std::string_view request_id, const model::RuleSpec& rule) {
  return state_ == State::live && queued(outbox_.push(request_id, rule));
}

bool EdgeSession::remove(std::string_view request_id, RuleId rule) {
  return state_ == State::live && queued(outbox_.remove(request_id, rule));
}

quotas::QuotaSink::Told EdgeSession::quota_changed(std::string_view user_id) {
  using Told = quotas::QuotaSink::Told;
  if (state_ != State::live || !model::supports(capabilities_.version, model::kNeedsQuota)) {
    return Told::absent;
  }
  return queued(outbox_.quota_changed(user_id)) ? Told::queued : Told::refused;
}

owner_caps::OwnerCapSink::Told EdgeSession::owner_caps_changed(std::string_view owner_id) {
  using Told = owner_caps::OwnerCapSink::Told;
  if (state_ != State::live || !model::supports(capabilities_.version, model::kNeedsRateLimit)) {
    return Told::absent;
  }
  return queued(outbox_.owner_caps_changed(owner_id)) ? Told::queued : Told::refused;
}

bool EdgeSession::queued(bool done) {
  if (!done) {
    on_broken("the client does not take its messages");
    return false;
  }
  wake_();
  return true;
}

std::optional<v1::ServerMessage> EdgeSession::next() {
  Encoded message;
  while (state_ == State::live && !message) {
    const std::optional<Outbox::Item> item = outbox_.take();
    if (!item) break;
    message = std::visit([this](const auto& content) { return encode(content); }, *item);
  }
  if (held_ && !outbox_.replaying()) {
    const v1::ClientMessage first = std::move(*held_);
    held_.reset();
    process(first);
  }
  return message;
}

EdgeSession::Encoded EdgeSession::encode(const Outbox::Welcome& /*welcome*/) const {
  return welcome_message(settings_, clock_.now());
}

EdgeSession::Encoded EdgeSession::encode(const Outbox::Quota& quota) const {
  return quota_message({.request_id = make_ulid(clock_),
                        .user_id = quota.user_id,
                        .client_id = identity_.client_id,
                        .client_name = identity_.client_name,
                        .state = limits_.quota(identity_.client_id, quota.user_id)});
}

EdgeSession::Encoded EdgeSession::encode(const Outbox::OwnerCaps& caps) const {
  using Action = wire::OwnerLimitUpdate::Action;
  auto limit = limits_.owner_caps(identity_.client_id, caps.owner_id);
  return owner_caps_message({.action = limit ? Action::set : Action::remove,
                             .client_id = identity_.client_id,
                             .client_name = identity_.client_name,
                             .owner_id = caps.owner_id,
                             .limit = std::move(limit)});
}

EdgeSession::Encoded EdgeSession::encode(const Outbox::Replay& replay) const {
  const model::RuleSpec* rule = rules_.current(replay.rule);
  if (rule == nullptr) return std::nullopt;
  std::string request_id = "replay-" + make_ulid(clock_);
  v1::ServerMessage out = push_message(request_id, *rule);
  rules_.expect_status(identity_.client_id, std::move(request_id), replay.rule);
  return out;
}

EdgeSession::Encoded EdgeSession::encode(const Outbox::ReplayEnd& /*end*/) const {
  return replay_complete_message();
}

EdgeSession::Encoded EdgeSession::encode(const Outbox::Push& push) const {
  return push_message(push.request_id, push.rule);
}

EdgeSession::Encoded EdgeSession::encode(const Outbox::Remove& removal) const {
  return remove_message(removal.request_id, removal.rule);
}

bool EdgeSession::end(std::string_view reason) {
  if (state_ > State::live) return false;
  if (begun_) log_disconnected(reason);
  leave(State::over, grpc::Status::OK);
  return true;
}

void EdgeSession::on_read_end() {
  if (state_ > State::live) return;
  leave(State::leaving,
        begun_ ? grpc::Status::OK
               : grpc::Status(grpc::StatusCode::CANCELLED, "client_dropped_before_hello"));
}

void EdgeSession::on_broken(std::string_view error) {
  if (state_ == State::over) return;
  log_transport_error(begun_ ? error : "transport_error_before_welcome");
  if (begun_) log_disconnected("transport_error");
  leave(State::over,
        begun_ ? grpc::Status::OK
               : grpc::Status(grpc::StatusCode::CANCELLED, "transport_error_before_welcome"));
}

void EdgeSession::on_hello_timeout() {
  if (state_ != State::opening) return;
  log_transport_error("hello_timeout");
  leave(State::over, grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "hello_timeout"));
}

void EdgeSession::on_done() {
  if (state_ != State::leaving) return;
  if (begun_) {
    log_disconnected("client_closed");
  } else {
    log_transport_error("client_dropped_before_hello");
  }
  state_ = State::over;
}

void EdgeSession::leave(State state, grpc::Status verdict) {
  const bool was_here = state_ <= State::live;
  state_ = state;
  if (!was_here) return;
  verdict_ = std::move(verdict);
  held_.reset();
  outbox_ = Outbox();
  if (begun_) rules_.end_session(identity_.client_id);
  wake_();
}

void EdgeSession::log_disconnected(std::string_view reason) const {
  log::log_at(level_of(reason), Event::client_disconnected,
              {{"client_name", identity_.client_name},
               {"session_id", std::to_string(identity_.id.value)},
               {"reason", reason}});
}

void EdgeSession::log_transport_error(std::string_view error) const {
  log::log(Event::client_transport_error,
           {{"client_name", identity_.client_name}, {"error", error}});
}

}  // namespace portunus::server::control
