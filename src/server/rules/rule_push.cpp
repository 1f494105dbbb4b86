#include <algorithm>
#include <utility>

#include "common/base/ulid.hpp"
#include "common/log/logger.hpp"
#include "server/rules/rule_check.hpp"
#include "server/rules/rule_events.hpp"
#include "server/rules/rule_service_impl.hpp"
#include "server/store/client_store.hpp"
#include "server/store/rule_store.hpp"

// A push from the request to its status (http-api 8.2, 8.5, control-wire 6.1).

namespace portunus::server::rules {

using store::RuleRow;
using store::RuleState;

namespace {

/// Longer would overflow the timers' arithmetic.
constexpr std::chrono::seconds kLongestAckTimeout = std::chrono::hours(24);

/// Writes the row under the client's present name; its id.
Result<RuleId> insert_for_client(store::Connection& connection, RuleRow& row) {
  const auto client = store::find_client(connection, *row.client_id);
  if (!client) return fail(client.error());
  if (!*client) return fail({Errc::client_not_connected, row.client_name});
  row.client_name = (*client)->name;
  return store::insert_rule(connection, row);
}

std::chrono::seconds within_bounds(std::chrono::seconds timeout) {
  return std::clamp(timeout, std::chrono::seconds(0), kLongestAckTimeout);
}

}  // namespace

/// The checks of http-api 8.2 in their order; the row to store.
async::Task<Result<RuleRow>> RuleService::Impl::prepare(const Actor& actor,
                                                        const PushRequest& request) {
  const Result<PushShape> shape = check_shape(request);
  if (!shape) co_return fail(shape.error());

  auto resolve = [key = request.client](store::Connection& connection) {
    return store::resolve_client(connection, key);
  };
  const Result<store::ClientKey> client = co_await store_.read(std::move(resolve));
  if (!client) co_return fail(client.error());
  using Kind = store::ClientKey::Kind;
  if (client->kind == Kind::bad_name) co_return fail({Errc::invalid_name, request.client});
  if (client->kind == Kind::unknown_id) co_return fail({Errc::client_not_found, request.client});
  const Result<model::Protocol> protocol = check_protocol(request.protocol);
  if (!protocol) co_return fail(protocol.error());
  if (!actor.superadmin) co_return fail({Errc::client_not_granted, request.client});
  const Result<std::string> host = check_target_host(*request.target_host);
  if (!host) co_return fail(host.error());
  if (!client->row || stopping_ || sink_ == nullptr || !sink_->connected(client->row->client_id)) {
    co_return fail({Errc::client_not_connected, request.client});
  }
  if (const auto done = check_available(*protocol, *shape); !done) co_return fail(done.error());
  const auto blocks = [&](const auto& item) {
    return blocks_port(item.second.row, client->row->client_id, *protocol, shape->listen_port);
  };
  if (std::ranges::any_of(book_.entries(), blocks)) {
    co_return fail(
        {Errc::port_in_use, "port " + std::to_string(shape->listen_port) + " already in use"});
  }

  RuleRow row;
  row.spec = {.id = {},
              .protocol = *protocol,
              .listen_port = shape->listen_port,
              .targets = {{*host, shape->target_port}},
              .prefer_ipv6 = request.prefer_ipv6,
              .owner_id = actor.user_id};
  row.client_id = client->row->client_id;
  row.client_name = client->row->name;
  row.created_at = row.last_state_change_at = clock_.now();
  co_return row;
}

async::Task<Result<RuleRow>> RuleService::Impl::push(Actor actor, PushRequest request) {
  Result<RuleRow> prepared = co_await prepare(actor, request);
  if (!prepared) co_return prepared;
  RuleRow row = std::move(*prepared);

  auto insert = [row](store::Connection& connection) mutable -> Result<RuleRow> {
    const Result<RuleId> id = insert_for_client(connection, row);
    if (!id) return fail(id.error());
    row.spec.id = *id;
    return row;
  };
  Result<RuleRow> stored = co_await store_.write(std::move(insert));
  if (!stored && stored.error() == store::Errc::constraint) {
    co_return fail({Errc::activation_failed, "persist_rule: refused by the store"});
  }
  if (!stored) co_return stored;
  co_return co_await send(std::move(*stored), within_bounds(request.ack_timeout));
}

/// The row is committed. Either the PUSH is queued, or the row goes again.
async::Task<Result<RuleRow>> RuleService::Impl::send(RuleRow row,
                                                     std::chrono::seconds ack_timeout) {
  const std::string client_id = *row.client_id;
  const RuleId id = row.spec.id;
  std::string request_id = make_ulid(clock_);
  if (stopping_ || !sink_->push(client_id, request_id, row.spec)) {
    auto undo = [id](store::Connection& connection) { return store::remove_rule(connection, id); };
    const Result<bool> undone = co_await store_.write(std::move(undo));
    if (undone) co_return fail({Errc::client_not_connected, row.client_name});
    book_.add(std::move(row));  // it is stored, so it is shown, and the next replay sends it
    co_return fail(undone.error());
  }
  book_.add(row);
  auto wait = std::make_shared<StatusWait>(executor_);
  requests_.add(request_id, {RequestLog::Kind::push, client_id, id, wait});
  log_push_sent(row, request_id);
  co_return co_await outcome_of(std::move(row), std::move(request_id), wait, ack_timeout);
}

async::Task<Result<RuleRow>> RuleService::Impl::outcome_of(RuleRow row, std::string request_id,
                                                           std::shared_ptr<StatusWait> wait,
                                                           std::chrono::seconds ack_timeout) {
  const StatusWait::End end = co_await wait->wait(ack_timeout);
  switch (end) {
    case StatusWait::End::settled:
      break;
    case StatusWait::End::lost:
      log_push_result(row, request_id, "ack_lost");
      co_return fail({Errc::ack_timeout, "the session ended before the client answered"});
    case StatusWait::End::timed_out:
      log_push_result(row, request_id, "ack_timeout");
      co_return fail({Errc::ack_timeout, "the client did not answer in time"});
  }
  const Result<RuleRow>& answer = *wait->answer();
  if (answer) {
    log_push_result(row, request_id, "activated");
  } else {
    const Error& error = answer.error();
    log_push_result(row, request_id, "failed",
                    error == Errc::activation_failed ? error.detail : error.text());
  }
  co_return answer;
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

}  // namespace portunus::server::rules
