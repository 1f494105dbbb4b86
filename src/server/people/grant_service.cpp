#include "server/people/grant_service.hpp"

#include <utility>

#include "common/async/shielded.hpp"
#include "common/base/ulid.hpp"
#include "common/log/logger.hpp"
#include "server/people/authorization.hpp"
#include "server/people/errc.hpp"
#include "server/people/user_id.hpp"
#include "server/store/client_store.hpp"
#include "server/store/grant_store.hpp"
#include "server/store/rule_store.hpp"
#include "server/store/user_store.hpp"

namespace portunus::server::people {

using store::ClientRef;
using store::Connection;
using store::GrantRow;

namespace {

constexpr std::string_view kEveryClient = "*";

/// Nothing for every client.
Result<std::optional<ClientRef>> resolve_in(Connection& connection, const std::string& client) {
  if (client == kEveryClient) return std::nullopt;
  auto ref = store::resolve_client_ref(connection, client, make_error_code(Errc::client_not_found),
                                       make_error_code(Errc::invalid_client));
  if (!ref) return fail(std::move(ref.error()));
  return std::move(*ref);
}

/// What follows the client in the order of http-api 6.3: ports and protocols.
Result<> check_scope(const NewGrant& wanted, GrantRow& row) {
  if (wanted.listen_port_start == 0 || wanted.listen_port_start > wanted.listen_port_end) {
    return fail({Errc::invalid_port_range, std::to_string(wanted.listen_port_start) + "-" +
                                               std::to_string(wanted.listen_port_end)});
  }
  row.listen_port_start = wanted.listen_port_start;
  row.listen_port_end = wanted.listen_port_end;
  for (const std::string& word : wanted.protocols) {
    if (word == model::protocol_name(model::Protocol::tcp)) {
      row.tcp = true;
    } else if (word == model::protocol_name(model::Protocol::udp)) {
      row.udp = true;
    } else {
      return fail({Errc::empty_protocol_set, "\"" + word + "\" is neither tcp nor udp"});
    }
  }
  if (!row.tcp && !row.udp) return fail(Errc::empty_protocol_set);
  return {};
}

Result<GrantRow> insert_in(Connection& connection, const NewGrant& wanted, GrantRow row) {
  auto client = resolve_in(connection, wanted.client);
  if (!client) return fail(client.error());
  row.client = std::move(*client);
  if (const auto good = check_scope(wanted, row); !good) return fail(good.error());
  const auto user =
      store::require_user(connection, row.user_id, {Errc::user_not_found, row.user_id});
  if (!user) return fail(user.error());
  if (const auto done = store::insert_grant(connection, row); !done) return fail(done.error());
  return row;
}

struct Revocation {
  GrantRow grant;
  std::vector<store::RemovedRule> rules;
};

/// The rules of that user that his grants do not cover as they are now, whatever his role.
Result<std::vector<store::RemovedRule>> remove_uncovered(Connection& connection,
                                                         const std::string& user_id) {
  const auto grants = store::list_grants(connection, user_id);
  if (!grants) return fail(grants.error());
  auto rules = store::list_rules_of(connection, user_id);
  if (!rules) return fail(rules.error());
  std::erase_if(*rules, [&](const store::RuleRow& rule) {
    const ClientRef client{rule.client_id, rule.client_name};
    return !find_miss(*grants, claim_of(client, rule.spec));
  });
  return store::remove_rules_and_caps(connection, *rules);
}

Result<Revocation> revoke_in(Connection& connection, const std::string& grant_id) {
  auto grant = store::find_grant(connection, grant_id);
  if (!grant) return fail(grant.error());
  if (!*grant) return fail(Errc::grant_not_found);
  Revocation out{std::move(**grant), {}};
  if (const auto gone = store::remove_grant(connection, grant_id); !gone) return fail(gone.error());
  auto rules = remove_uncovered(connection, out.grant.user_id);
  if (!rules) return fail(rules.error());
  out.rules = std::move(*rules);
  return out;
}

}  // namespace

VisibleClients::VisibleClients(const std::vector<GrantRow>& grants) {
  for (const GrantRow& grant : grants) {
    if (grant.client) {
      keys_.insert(grant.client->key());
    } else {
      every_ = true;
    }
  }
}

bool VisibleClients::contains(const ClientRef& client) const {
  return every_ || keys_.contains(client.key());
}

async::Task<Result<std::vector<GrantRow>>> GrantService::list(std::optional<std::string> user_id) {
  if (user_id) {
    if (const auto good = check_user_id(*user_id); !good) co_return fail(good.error());
  }
  auto load = [user_id](Connection& connection) { return store::list_grants(connection, user_id); };
  co_return co_await store_.read(std::move(load));
}

async::Task<Result<VisibleClients>> GrantService::visible_clients(std::string user_id) {
  auto load = [user_id](Connection& connection) { return store::list_grants(connection, user_id); };
  const auto grants = co_await store_.read(std::move(load));
  if (!grants) co_return fail(grants.error());
  co_return VisibleClients(*grants);
}

async::Task<Result<GrantRow>> GrantService::add(std::string actor, NewGrant wanted) {
  return async::shielded(insert(std::move(actor), std::move(wanted)));
}

async::Task<Result<RevokedGrant>> GrantService::revoke(std::string actor, std::string grant_id) {
  return async::shielded(erase(std::move(actor), std::move(grant_id)));
}

async::Task<Result<GrantRow>> GrantService::insert(std::string actor, NewGrant wanted) {
  if (const auto good = check_new_user_id(wanted.user_id); !good) co_return fail(good.error());
  GrantRow row;
  row.grant_id = make_ulid(clock_);
  row.user_id = wanted.user_id;
  row.note = wanted.note;
  row.created_at = clock_.now();
  auto write = [wanted = std::move(wanted), row = std::move(row)](Connection& connection) {
    return insert_in(connection, wanted, row);
  };
  Result<GrantRow> stored = co_await store_.write(std::move(write));
  if (!stored) co_return stored;
  log::log(log::Event::operator_grant_added, {{"actor", actor},
                                              {"target", stored->user_id},
                                              {"grant_id", stored->grant_id},
                                              {"outcome", "ok"}});
  co_return stored;
}

async::Task<Result<RevokedGrant>> GrantService::erase(std::string actor, std::string grant_id) {
  auto write = [grant_id](Connection& connection) { return revoke_in(connection, grant_id); };
  const Result<Revocation> done = co_await store_.write(std::move(write));
  if (!done) co_return fail(done.error());
  if (listener_ != nullptr) listener_->on_rules_removed(done->rules);
  RevokedGrant out{grant_id, {}};
  for (const auto& rule : done->rules) out.rule_ids.push_back(rule.id.value);
  log::log(log::Event::operator_grant_revoked, {{"actor", actor},
                                                {"target", done->grant.user_id},
                                                {"grant_id", grant_id},
                                                {"cascaded_rules", out.rule_ids.size()},
                                                {"outcome", "ok"}});
  co_return out;
}

}  // namespace portunus::server::people
