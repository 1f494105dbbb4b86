#include "bench/control/swarm_edge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace portunus::bench {
namespace {

using std::chrono::milliseconds;

// control-wire 5.4
constexpr milliseconds kReconnectBase{500};
constexpr milliseconds kReconnectCap{30'000};
// control-wire 1.2: connect and TLS, and from there to Welcome, 10 s each.
constexpr std::chrono::seconds kOpening{20};

std::int64_t unix_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<milliseconds>(now).count();
}

v1::ClientMessage hello(const std::string& instance_id) {
  v1::ClientMessage message;
  v1::Hello& hello = *message.mutable_hello();
  hello.set_protocol_version("1.0.0");
  hello.set_client_version("1.8.0");
  hello.add_supported_protocols(v1::TCP);
  hello.add_supported_protocols(v1::UDP);
  hello.set_instance_id(instance_id);
  return message;
}

}  // namespace

/// One stream. It goes when gRPC holds none of its operations any more.
struct SwarmEdge::Session {
  grpc::ClientContext context;
  std::unique_ptr<v1::Control::Stub> stub;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<v1::ClientMessage, v1::ServerMessage>> stream;
  v1::ServerMessage incoming;
  std::deque<Outgoing> queue;
  std::set<std::uint64_t> replay;  ///< rules replayed so far
  grpc::Status status;
  Steady::time_point opened_at = Steady::now();
  unsigned in_flight = 0;
  bool writing = false;
  bool broken = false;  ///< no further write
  bool finishing = false;
  bool finished = false;
  bool welcomed = false;
  bool replayed = false;
};

SwarmEdge::SwarmEdge(SwarmHost& host, std::string token, std::size_t number)
    : host_(host),
      token_(std::move(token)),
      instance_id_(fmt::format("01J{:023}", number)),
      tags_{{this, Step::start}, {this, Step::read}, {this, Step::write}, {this, Step::finish}} {}

SwarmEdge::~SwarmEdge() = default;

void SwarmEdge::start() {
  wanted_ = true;
  if (!session_ && !connect_at_) connect();
}

void SwarmEdge::stop() {
  wanted_ = false;
  connect_at_.reset();
  if (session_) session_->context.TryCancel();
}

void SwarmEdge::connect() {
  connect_at_.reset();
  session_ = std::make_unique<Session>();
  session_->context.AddMetadata("authorization", "Bearer " + token_);
  session_->stub = v1::Control::NewStub(open_channel(host_.server()));
  session_->stream = session_->stub->PrepareAsyncChannel(&session_->context, &host_.events());
  ++session_->in_flight;
  session_->stream->StartCall(&tags_[static_cast<std::size_t>(Step::start)]);
  host_.wake_at(*this, Steady::now() + kOpening);
}

void SwarmEdge::on_event(Step step, bool ok) {
  Session& session = *session_;
  --session.in_flight;
  switch (step) {
    case Step::start:
      if (!ok) {
        finish();
        break;
      }
      send({hello(instance_id_), std::nullopt});
      ++session.in_flight;
      session.stream->Read(&session.incoming, &tags_[static_cast<std::size_t>(Step::read)]);
      break;
    case Step::read:
      if (!ok) {
        finish();
        break;
      }
      on_message();
      ++session.in_flight;
      session.stream->Read(&session.incoming, &tags_[static_cast<std::size_t>(Step::read)]);
      break;
    case Step::write:
      session.writing = false;
      if (!ok) session.broken = true;  // the read ends as well
      if (ok && session.queue.front().push_read) {
        host_.tally().answers.add(Steady::now() - *session.queue.front().push_read);
      }
      session.queue.pop_front();
      write_next();
      break;
    case Step::finish:
      session.finished = true;
      break;
  }
  if (session.finished && session.in_flight == 0) on_finished();
}

void SwarmEdge::on_message() {
  Session& session = *session_;
  SwarmCounts& counts = host_.tally();
  switch (session.incoming.payload_case()) {
    case v1::ServerMessage::kWelcome:
      if (session.welcomed) return;
      session.welcomed = true;
      attempt_ = 0;
      ++counts.connected;
      ++counts.sessions;
      opened();
      report_at_ = Steady::now() + host_.report_interval();
      host_.wake_at(*this, *report_at_);
      return;
    case v1::ServerMessage::kRuleUpdate:
      return on_update(session.incoming.rule_update());
    case v1::ServerMessage::kReplayComplete:
      if (session.replayed) return;
      session.replayed = true;
      ++counts.replayed;
      counts.last_replayed_ms = unix_ms();
      return reconcile();
    case v1::ServerMessage::kOwnerRateLimitUpdate:
    case v1::ServerMessage::kTrafficQuotaUpdate:
    case v1::ServerMessage::PAYLOAD_NOT_SET:
      return;
  }
}

void SwarmEdge::on_update(const v1::RuleUpdate& update) {
  SwarmCounts& counts = host_.tally();
  const std::uint64_t rule = update.rule().rule_id();
  Outgoing answer;
  v1::RuleStatus& status = *answer.message.mutable_rule_status();
  status.set_request_id(update.request_id());
  status.set_rule_id(rule);
  if (update.action() == v1::PUSH) {
    if (rules_.try_emplace(rule).second) ++counts.rules;
    if (session_->replayed) {
      ++counts.pushes;
      answer.push_read = Steady::now();
    } else {
      ++counts.replays;
      session_->replay.insert(rule);
    }
    status.set_outcome(v1::ACTIVATED);
  } else if (update.action() == v1::REMOVE && rules_.erase(rule) == 1) {
    --counts.rules;
    ++counts.removals;
    status.set_outcome(v1::REMOVED);
  } else {
    return;  // REMOVE of an unknown rule has no answer
  }
  send(std::move(answer));
}

/// The replay is the whole truth; what is in it keeps its counters (control-wire 5.1).
void SwarmEdge::reconcile() {
  const auto gone = std::erase_if(
      rules_, [&](const auto& rule) { return !session_->replay.contains(rule.first); });
  host_.tally().rules -= static_cast<std::int64_t>(gone);
  session_->replay.clear();
}

void SwarmEdge::opened() {
  if (!std::exchange(opened_, true)) host_.opened();
}

void SwarmEdge::report() {
  Outgoing out;
  v1::StatsReport& report = *out.message.mutable_stats_report();
  report.set_sent_at_unix_ms(static_cast<std::uint64_t>(unix_ms()));
  for (auto& [rule, counters] : rules_) {
    counters.in += 1'000 + static_cast<std::uint64_t>(host_.random() * 100'000);
    counters.out += 10'000 + static_cast<std::uint64_t>(host_.random() * 1'000'000);
    v1::RuleStats& stats = *report.add_stats();
    stats.set_rule_id(rule);
    stats.set_bytes_in(counters.in);
    stats.set_bytes_out(counters.out);
    stats.set_active_connections(static_cast<std::uint32_t>(host_.random() * 50));
  }
  if (report.stats().empty()) return;  // control-wire 8
  ++host_.tally().reports;
  send(std::move(out));
}

void SwarmEdge::send(Outgoing message) {
  session_->queue.push_back(std::move(message));
  write_next();
}

void SwarmEdge::write_next() {
  Session& session = *session_;
  if (session.writing || session.broken || session.finishing || session.queue.empty()) return;
  session.writing = true;
  ++session.in_flight;
  session.stream->Write(session.queue.front().message,
                        &tags_[static_cast<std::size_t>(Step::write)]);
}

void SwarmEdge::on_timer(Steady::time_point now) {
  if (connect_at_ && now >= *connect_at_) connect();
  if (!session_) return;
  if (!session_->welcomed && now >= session_->opened_at + kOpening) session_->context.TryCancel();
  if (report_at_ && now >= *report_at_ && session_->welcomed && !session_->finishing) {
    report();
    // Late ticks are delayed, not bunched.
    report_at_ = std::max(*report_at_, now - host_.report_interval()) + host_.report_interval();
    host_.wake_at(*this, *report_at_);
  }
}

void SwarmEdge::finish() {
  Session& session = *session_;
  if (std::exchange(session.finishing, true)) return;
  ++session.in_flight;
  session.stream->Finish(&session.status, &tags_[static_cast<std::size_t>(Step::finish)]);
}

void SwarmEdge::on_finished() {
  SwarmCounts& counts = host_.tally();
  const std::unique_ptr<Session> session = std::move(session_);
  report_at_.reset();
  if (session->welcomed) {
    --counts.connected;
    if (session->replayed) --counts.replayed;
    if (wanted_) {
      ++counts.lost;
      counts.last_lost_ms = unix_ms();
    }
  } else {
    ++counts.refused;
    opened();
  }
  if (wanted_) come_back();
}

void SwarmEdge::come_back() {
  const auto limit = std::min(kReconnectCap, kReconnectBase * (1U << std::min(attempt_, 6U)));
  ++attempt_;
  connect_at_ =
      Steady::now() + std::chrono::duration_cast<Steady::duration>(limit * host_.random());
  host_.wake_at(*this, *connect_at_);
}

}  // namespace portunus::bench
