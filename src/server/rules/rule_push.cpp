#include <algorithm>
#include <utility>

#include "common/base/ulid.hpp"
#include "server/rules/rule_check.hpp"
#include "server/rules/rule_conflict.hpp"
#include "server/rules/rule_events.hpp"
#include "server/rules/rule_gates.hpp"
#include "server/rules/rule_service_impl.hpp"
#include "server/store/client_store.hpp"
#include "server/store/rule_store.hpp"

// A push from the request to its status (http-api 8.2, 8.5, control-wire 6.1).

namespace portunus::server::rules {

using store::RuleRow;

namespace {

/// Longer would overflow the timers' arithmetic.
constexpr std::chrono::seconds kLongestAckTimeout = std::chrono::hours(24);

Errc denial(model::GrantMiss miss) {
  switch (miss) {
    case model::GrantMiss::client:
      return Errc::client_not_granted;
    case model::GrantMiss::protocol:
      return Errc::protocol_not_granted;
    case model::GrantMiss::ports:
      return Errc::port_outside_grant;
  }
  return Errc::client_not_granted;
}

/// Row 11. Without anybody who knows rights there are none.
Result<std::optional<model::GrantMiss>> find_miss(const PushRights& rights,
                                                  store::Connection& connection,
                                                  const store::ClientRef& client,
                                                  const model::RuleSpec& spec) {
  if (!rights) return model::GrantMiss::client;
  return rights(connection, client, spec);
}

/// Who needs rights, and who knows them.
struct Rights {
  bool needed = true;
  PushRights find;
};

/// Writes the row under the client's present name; its id. What was granted at the checks may have
/// been taken back since: from here on a revocation finds the rule.
Result<RuleId> insert_for_client(store::Connection& connection, const Rights& rights,
                                 RuleRow& row) {
  const auto client = store::find_client(connection, *row.client_id);
  if (!client) return fail(client.error());
  if (!*client) return fail({Errc::client_not_connected, row.client_name});
  row.client_name = (*client)->name;
  if (rights.needed) {
    const store::ClientRef ref{row.client_id, row.client_name};
    const auto miss = find_miss(rights.find, connection, ref, row.spec);
    if (!miss) return fail(miss.error());
    if (*miss) return fail(denial(**miss));
  }
  return store::insert_rule(connection, row);
}

std::chrono::seconds within_bounds(std::chrono::seconds timeout) {
  return std::clamp(timeout, std::chrono::seconds(0), kLongestAckTimeout);
}

/// Row 10, but for the protocol word.
Result<> check_client(const store::ClientKey& client, const std::string& asked) {
  switch (client.kind) {
    case store::ClientKey::Kind::bad_name:
      return fail({Errc::invalid_name, asked});
    case store::ClientKey::Kind::unknown_id:
      return fail({Errc::client_not_found, asked});
    case store::ClientKey::Kind::enrolled:
    case store::ClientKey::Kind::bare_name:
      break;
  }
  return {};
}

/// What the store says of a push.
struct Admission {
  store::ClientKey client;
  std::optional<model::GrantMiss> miss;
};

Result<Admission> look_up(store::Connection& connection, const std::string& asked,
                          const Rights& rights, const model::RuleSpec& spec) {
  Result<store::ClientKey> client = store::resolve_client(connection, asked);
  if (!client) return fail(client.error());
  Admission out{std::move(*client), std::nullopt};
  // Without a client there is a refusal that comes first.
  if (!rights.needed || !check_client(out.client, asked)) return out;
  const store::ClientRef ref =
      out.client.row ? store::ClientRef{out.client.row->client_id, out.client.row->name}
                     : store::ClientRef{std::nullopt, asked};
  const auto miss = find_miss(rights.find, connection, ref, spec);
  if (!miss) return fail(miss.error());
  out.miss = *miss;
  return out;
}

/// Rows 14 and 15.
Result<> check_session(const model::RuleSpec& spec, const ClientCapabilities* capabilities,
                       const std::string& client) {
  const std::string version = capabilities == nullptr ? std::string() : capabilities->version;
  if (const auto code = closed_for_release(spec, version)) return fail(*code);
  if (capabilities == nullptr) return fail({Errc::client_not_connected, client});
  if (const auto code = closed_for_udp(spec, *capabilities)) return fail(*code);
  return {};
}

}  // namespace

/// The checks of http-api 8.2 in their order; the row to store.
async::Task<Result<RuleRow>> RuleService::Impl::prepare(const Actor& actor,
                                                        const PushRequest& request) {
  Result<Draft> draft = check_shape(request);
  if (!draft) co_return fail(draft.error());
  const Result<model::Protocol> protocol = check_protocol(request.protocol);
  model::RuleSpec& spec = draft->spec;
  spec.protocol = protocol.value_or(model::Protocol::tcp);
  spec.owner_id = actor.user_id;
  auto ask = [key = request.client, rights = Rights{!actor.superadmin, rights_}, spec](
                 store::Connection& connection) { return look_up(connection, key, rights, spec); };
  const Result<Admission> admission = co_await store_.read(std::move(ask));
  if (!admission) co_return fail(admission.error());
  const store::ClientKey* client = &admission->client;
  if (const auto good = check_client(*client, request.client); !good) co_return fail(good.error());
  if (!protocol) co_return fail(protocol.error());
  if (admission->miss) co_return fail(denial(*admission->miss));

  if (const auto good = check_single_host(request, *draft); !good) co_return fail(good.error());
  if (const auto good = check_proxy(spec); !good) co_return fail(good.error());
  const ClientCapabilities* able = client->row ? capabilities(client->row->client_id) : nullptr;
  if (const auto good = check_session(spec, able, request.client); !good) {
    co_return fail(good.error());
  }
  if (const auto good = check_lengths(*draft, settings_.max_ports); !good) {
    co_return fail(good.error());
  }
  if (auto conflict = find_conflict(book_, client->row->client_id, spec)) {
    co_return fail(std::move(*conflict));
  }

  RuleRow row;
  row.spec = std::move(spec);
  row.client_id = client->row->client_id;
  row.client_name = client->row->name;
  row.created_at = row.last_state_change_at = clock_.now();
  co_return row;
}

async::Task<Result<RuleRow>> RuleService::Impl::push(Actor actor, PushRequest request) {
  Result<RuleRow> prepared = co_await prepare(actor, request);
  if (!prepared) co_return prepared;
  RuleRow row = std::move(*prepared);

  auto insert = [row, rights = Rights{!actor.superadmin, rights_}](
                    store::Connection& connection) mutable -> Result<RuleRow> {
    const Result<RuleId> id = insert_for_client(connection, rights, row);
    if (!id) return fail(id.error());
    row.spec.id = *id;
    return row;
  };
  Result<RuleRow> stored = co_await store_.write(std::move(insert));
  if (!stored && stored.error() == store::Errc::constraint) {
    co_return fail({Errc::activation_failed, "persist_rule: refused by the store"});
  }
  if (!stored) co_return stored;
  co_return co_await send_new(std::move(*stored), within_bounds(request.ack_timeout));
}

/// The row is committed. Either the PUSH is queued, or the row goes again.
async::Task<Result<RuleRow>> RuleService::Impl::send_new(RuleRow row,
                                                         std::chrono::seconds ack_timeout) {
  Result<Sent> sent = queue(row);
  if (!sent) {
    auto undo = [id = row.spec.id](store::Connection& connection) {
      return store::remove_rule(connection, id);
    };
    const Result<bool> undone = co_await store_.write(std::move(undo));
    if (undone) co_return fail(sent.error());
    book_.add(std::move(row));  // it is stored, so it is shown, and the next replay sends it
    co_return fail(undone.error());
  }
  book_.add(std::move(row));
  co_return co_await outcome_of(std::move(*sent), ack_timeout);
}

Result<RuleService::Impl::Sent> RuleService::Impl::queue(RuleRow row) {
  // Since the checks another session may have begun, of a client that can do less.
  const ClientCapabilities* able = capabilities(*row.client_id);
  if (const auto good = check_session(row.spec, able, row.client_name); !good) {
    return fail(good.error());
  }
  Sent sent{std::move(row), make_ulid(clock_), std::make_shared<StatusWait>(executor_)};
  const std::string& client_id = *sent.row.client_id;
  if (!sink_->push(client_id, sent.request_id, sent.row.spec)) {
    return fail({Errc::client_not_connected, sent.row.client_name});
  }
  requests_.add(sent.request_id, {RequestLog::Kind::push, client_id, sent.row.spec.id, sent.wait});
  log_push_sent(sent.row, sent.request_id);
  return sent;
}

async::Task<Result<RuleRow>> RuleService::Impl::outcome_of(
    Sent sent, std::chrono::steady_clock::duration limit) {
  const StatusWait::End end = co_await sent.wait->wait(limit);
  switch (end) {
    case StatusWait::End::settled:
      break;
    case StatusWait::End::lost:
      log_push_result(sent.row, sent.request_id, "ack_lost");
      co_return fail({Errc::ack_timeout, "the session ended before the client answered"});
    case StatusWait::End::timed_out:
      log_push_result(sent.row, sent.request_id, "ack_timeout");
      co_return fail({Errc::ack_timeout, "the client did not answer in time"});
  }
  const Result<RuleRow>& answer = *sent.wait->answer();
  if (answer) {
    log_push_result(sent.row, sent.request_id, "activated");
  } else {
    const Error& error = answer.error();
    log_push_result(sent.row, sent.request_id, "failed",
                    error == Errc::activation_failed ? error.detail : error.text());
  }
  co_return answer;
}

}  // namespace portunus::server::rules
