#include "client/agent/session.hpp"

#include <algorithm>
#include <utility>

#include "common/base/clock.hpp"
#include "common/base/version.hpp"
#include "common/log/logger.hpp"
#include "common/wire/traffic_wire.hpp"

namespace portunus::client::agent {
namespace {

using log::Event;

SteadyTime now() {
  return SystemClock::instance().steady_now();
}

/// The largest message either side takes (control-wire section 1), with room for its envelope.
constexpr std::size_t kMaxReport = 4 * 1024 * 1024 - 1024;

/// Ports and targets are a snapshot that nothing is booked from, and only a host with tens of
/// thousands of them comes to the bound: then the totals go without them.
void fill_report(model::TrafficReport traffic, v1::StatsReport& out) {
  const auto now_ms = static_cast<std::uint64_t>(to_unix_millis(SystemClock::instance().now()));
  wire::report_to_wire(traffic, now_ms, out);
  if (out.ByteSizeLong() <= kMaxReport) return;
  for (model::RuleTraffic& rule : traffic.rules) {
    rule.ports.clear();
    rule.targets.clear();
  }
  out.Clear();
  wire::report_to_wire(traffic, now_ms, out);
}

std::string seconds_text(std::chrono::milliseconds d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(d).count()) + " s";
}

}  // namespace

Session::Session(GrpcEvents& events, RuleApplier& applier, const AgentOptions& options)
    : applier_(applier), options_(options), events_(events), inbox_(events.executor()) {}

async::Task<Session::End> Session::run(std::shared_ptr<grpc::Channel> channel,
                                       const Secret& token) {
  applier_.begin_session({[this](const v1::RuleStatus& status) { send_status(status); },
                          [this] { inbox_.push(Woken{}); }});
  patience_ = now() + options_.welcome_budget;
  stream_ = ControlStream::open(events_, channel, token, hello(), inbox_);
  channel.reset();
  for (bool open = true; open;) {
    co_await shut_down();
    const auto event = co_await inbox_.next(next_deadline());
    if (!event) {
      co_await on_deadline();
    } else if (const auto* arrived = std::get_if<MessageArrived>(&*event)) {
      co_await on_message(arrived->message);
      stream_->read_on();
    } else if (const auto* written = std::get_if<ReportWritten>(&*event)) {
      applier_.stats().settle(written->report, written->delivered);
    } else if (const auto* closed = std::get_if<StreamClosed>(&*event)) {
      end_.status = closed->status;
      open = false;
    }
  }
  applier_.end_session();
  stream_.reset();
  co_return std::move(end_);
}

void Session::request_stop() {
  if (stopping_ != Stopping::no) return;
  stopping_ = Stopping::wanted;
  inbox_.push(Woken{});
}

v1::ClientMessage Session::hello() const {
  v1::ClientMessage message;
  v1::Hello& hello = *message.mutable_hello();
  hello.set_protocol_version("1.0.0");
  hello.set_client_version(std::string(kVersion));
  hello.add_supported_protocols(v1::TCP);
  hello.add_supported_protocols(v1::UDP);
  hello.set_instance_id(options_.instance_id);
  return message;
}

SteadyTime Session::next_deadline() const {
  SteadyTime out = SteadyTime::max();
  for (const auto& at : {patience_, applier_.deadline(), applier_.stats().due()}) {
    if (at) out = std::min(out, *at);
  }
  return out;
}

async::Task<> Session::on_deadline() {
  const SteadyTime at = now();
  if (patience_ && at >= *patience_) {
    give_up(applier_.established() ? "the server does not end the stream"
                                   : "no Welcome within " + seconds_text(options_.welcome_budget));
  }
  co_await applier_.on_time(at);
  const auto due = applier_.stats().due();
  if (due && at >= *due) {
    applier_.stats().tick(at);
    send_report();
  }
}

async::Task<> Session::on_message(const v1::ServerMessage& message) {
  if (stopping_ == Stopping::draining || stopping_ == Stopping::finished) {
    // What drains stays limited and quota-bound (DRN-5). Rules are not answered any more: a FAILED
    // would be final, while a pending rule is activated by the next session's replay.
    const bool terms = message.has_traffic_quota_update() || message.has_owner_rate_limit_update();
    if (!terms || !applier_.established()) co_return;
  }
  const auto progress = co_await applier_.on_message(message, now());
  if (progress.give_up) give_up(*progress.give_up);
  if (progress.welcome) welcome(*progress.welcome);
}

void Session::welcome(const v1::Welcome& message) {
  patience_.reset();
  applier_.stats().begin_session(now());
  log::log(Event::control_connected,
           {{"server_version", message.server_version()},
            {"udp_flow_idle_secs", message.udp_flow_idle_secs()},
            {"udp_max_flows_per_rule", message.udp_max_flows_per_rule()}});
}

/// One step of the way out, whenever there is one: drain, report, close.
async::Task<> Session::shut_down() {
  if (stopping_ == Stopping::wanted) {
    stopping_ = Stopping::draining;
    co_await applier_.remove_all();
  }
  if (stopping_ == Stopping::draining && applier_.idle()) {
    stopping_ = Stopping::finished;
    if (!applier_.established()) {
      give_up("stopped");
      co_return;
    }
    send_report();
    stream_->finish();
    patience_ = now() + options_.goodbye;
  }
}

void Session::send_status(const v1::RuleStatus& status) {
  v1::ClientMessage message;
  *message.mutable_rule_status() = status;
  if (stream_->send(std::move(message), 0)) return;
  log::log(Event::status_send_failed,
           {{"rule_id", std::to_string(status.rule_id())}, {"error", "send queue full or closed"}});
  // The server would wait for ever; the next session's replay asks again.
  stream_->cancel();
}

void Session::send_report() {
  StatsReporter& stats = applier_.stats();
  if (stats.outstanding() && stopping_ != Stopping::finished) {
    log::log(Event::stats_send_failed, {{"error", "the previous report is still queued"}});
    return;
  }
  applier_.update_stats();
  auto report = stats.report();
  if (!report) return;
  v1::ClientMessage message;
  fill_report(std::move(report->traffic), *message.mutable_stats_report());
  if (stream_->send(std::move(message), report->number)) return;
  stats.settle(report->number, false);
  log::log(Event::stats_send_failed, {{"error", "send queue full or closed"}});
}

void Session::give_up(std::string error) {
  patience_.reset();
  if (end_.error.empty()) end_.error = std::move(error);
  stream_->cancel();
}

}  // namespace portunus::client::agent
