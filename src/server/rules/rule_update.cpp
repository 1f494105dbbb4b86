#include <optional>
#include <utility>

#include "server/rules/rule_check.hpp"
#include "server/rules/rule_gates.hpp"
#include "server/rules/rule_service_impl.hpp"
#include "server/store/rule_store.hpp"

// A change of caps in place (http-api 8.6).

namespace portunus::server::rules {

using store::RuleRow;

namespace {

bool same_host(std::string_view asked, const model::Target& stored) {
  const auto host = model::parse_target_host(asked);
  return host && *host == stored.host;
}

bool same_list(const std::vector<WantedTarget>& asked, const std::vector<model::Target>& stored) {
  if (asked.size() != stored.size()) return false;
  for (std::size_t row = 0; row < asked.size(); ++row) {
    const WantedTarget& wanted = asked[row];
    const bool same = same_host(wanted.host, stored[row]) && wanted.port == stored[row].port &&
                      wanted.priority.value_or(stored[row].priority) == stored[row].priority;
    if (!same) return false;
  }
  return true;
}

bool same_single(const PushRequest& asked, const model::RuleSpec& stored) {
  const std::uint32_t last = asked.target_port_end.value_or(*asked.target_port);
  return !stored.multi_target() && same_host(*asked.target_host, stored.target()) &&
         *asked.target_port == stored.target().port &&
         last == stored.target().port + stored.ports - 1;
}

/// The first part of the request that is not as the rule has it.
std::optional<std::string_view> mismatch(const PushRequest& asked, const RuleRow& row) {
  const model::RuleSpec& spec = row.spec;
  if (asked.client != row.client_name && asked.client != row.client_id) return "client";
  const auto protocol = check_protocol(asked.protocol);
  if (!protocol || *protocol != spec.protocol) return "protocol";
  if (asked.listen_port != spec.listen_port ||
      asked.last_listen_port() != spec.last_listen_port()) {
    return "listen ports";
  }
  const bool same =
      asked.targets ? same_list(*asked.targets, spec.targets) : same_single(asked, spec);
  if (!same) return "targets";
  return std::nullopt;
}

/// Caps belong to lists (row 7s of http-api 8.2); with a pattern the single shape counts as one.
bool legacy(const PushRequest& asked, const model::RuleSpec& spec) {
  return !spec.listed || (!asked.targets && !spec.sni_pattern);
}

std::optional<model::RateLimit> wanted_caps(const PushRequest& asked) {
  if (!asked.rate_limit || asked.rate_limit->limit.empty()) return std::nullopt;
  return asked.rate_limit->limit;
}

}  // namespace

async::Task<Result<RuleRow>> RuleService::Impl::update(Actor actor, RuleId id,
                                                       PushRequest request) {
  const auto found = find(actor, id);
  if (!found) co_return fail(found.error());
  if (const auto good = check_form(request); !good) co_return fail(good.error());
  if (const auto good = check_caps(request); !good) co_return fail(good.error());
  RuleRow row = (*found)->row;
  if (const auto part = mismatch(request, row)) {
    co_return fail(
        {Errc::rule_update_shape_mismatch, std::string(*part) + " differ from the rule"});
  }
  if (request.rate_limit && legacy(request, row.spec)) {
    co_return fail({Errc::rate_limit_on_legacy_shape, "rate_limit goes with targets only"});
  }
  const ClientCapabilities* able = row.client_id ? capabilities(*row.client_id) : nullptr;
  if (able == nullptr) co_return fail({Errc::client_not_connected, row.client_name});
  row.spec.rate_limit = wanted_caps(request);
  if (const auto code = closed_for_release(row.spec, able->version)) {
    co_return fail(*code);
  }

  auto write = [id, limit = row.spec.rate_limit](store::Connection& connection) {
    return store::set_rule_limit(connection, id, limit);
  };
  const Result<bool> written = co_await store_.write(std::move(write));
  if (!written) co_return fail(written.error());
  RuleBook::Entry* entry = book_.find(id);
  if (!*written || entry == nullptr) co_return fail(Errc::rule_not_found);
  entry->row.spec.rate_limit = row.spec.rate_limit;
  // The caps are stored from here on, whatever becomes of their message.
  if (!entry->row.client_id) co_return fail({Errc::client_lost, entry->row.client_name});
  Result<Sent> sent = queue(entry->row);
  if (!sent) co_return fail({Errc::client_lost, entry->row.client_name});

  const Result<RuleRow> answer = co_await outcome_of(std::move(*sent), settings_.update_timeout);
  if (!answer && answer.error() != Errc::activation_failed) co_return answer;
  entry = book_.find(id);
  if (entry == nullptr) co_return fail(Errc::rule_not_found);
  co_return entry->row;
}

}  // namespace portunus::server::rules
