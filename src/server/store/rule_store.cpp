#include "server/store/rule_store.hpp"

#include <utility>

#include "server/store/connection.hpp"
#include "server/store/rate_limit_columns.hpp"

namespace portunus::server::store {
namespace {

std::string_view state_text(RuleState state) {
  switch (state) {
    case RuleState::pending:
      return "pending";
    case RuleState::active:
      return "active";
    case RuleState::failed:
      return "failed";
  }
  return "";
}

/// The table's CHECK admits no other text.
RuleState parse_state(std::string_view text) {
  if (text == "active") return RuleState::active;
  return text == "failed" ? RuleState::failed : RuleState::pending;
}

std::optional<std::string_view> stored_reason(RuleState state, std::string_view reason) {
  return state == RuleState::failed ? std::optional(reason) : std::nullopt;
}

/// The table's CHECK admits no other text.
model::ProxyVersion parse_proxy_version(std::string_view text) {
  return text == "v1" ? model::ProxyVersion::v1 : model::ProxyVersion::v2;
}

std::optional<std::string_view> proxy_text(const std::optional<model::ProxyVersion>& version) {
  return version ? std::optional(model::proxy_version_name(*version)) : std::nullopt;
}

/// A row of kSelectRules, without its targets.
RuleRow read_row(const Query& query) {
  RuleRow row;
  row.spec.id = RuleId{static_cast<std::uint64_t>(query.integer(0))};
  row.client_id = query.optional_text(1);
  row.client_name = query.text(2);
  row.spec.owner_id = query.text(3);
  row.spec.protocol = query.text(4) == "udp" ? model::Protocol::udp : model::Protocol::tcp;
  row.spec.listen_port = static_cast<std::uint16_t>(query.integer(5));
  row.spec.ports = static_cast<std::uint32_t>(query.integer(6));
  row.spec.listed = query.flag(7);
  if (!query.null(8)) row.spec.prefer_ipv6 = query.flag(8);
  if (!query.null(9)) {
    row.spec.health_check_interval_secs = static_cast<std::uint32_t>(query.integer(9));
  }
  row.spec.sni_pattern = query.optional_text(10);
  row.state = parse_state(query.text(11));
  row.failure_reason = query.optional_text(12).value_or("");
  row.created_at = query.time(13);
  row.last_state_change_at = query.time(14);
  row.spec.rate_limit = read_caps(query, 15);
  return row;
}

constexpr std::string_view kSelectRules =
    "SELECT rule_id, client_id, client_name, owner_id, protocol, listen_port, ports, listed, "
    "prefer_ipv6, health_check_interval_secs, sni_pattern, state, failure_reason, created_at, "
    "last_state_change_at, bandwidth_in_bps, bandwidth_out_bps, new_connections_per_sec, "
    "concurrent_connections, bandwidth_in_burst, bandwidth_out_burst, new_connections_burst "
    "FROM rules";

void insert_row(Connection& connection, const RuleRow& rule) {
  const model::RuleSpec& spec = rule.spec;
  const model::RateLimit caps = spec.rate_limit.value_or(model::RateLimit{});
  Query(connection,
        "INSERT INTO rules (client_id, client_name, owner_id, protocol, listen_port, ports, "
        "listed, prefer_ipv6, health_check_interval_secs, sni_pattern, state, failure_reason, "
        "created_at, last_state_change_at, bandwidth_in_bps, bandwidth_out_bps, "
        "new_connections_per_sec, concurrent_connections, bandwidth_in_burst, "
        "bandwidth_out_burst, new_connections_burst) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rule.client_id, rule.client_name, spec.owner_id, model::protocol_name(spec.protocol),
        spec.listen_port, spec.ports, spec.listed, spec.prefer_ipv6,
        spec.health_check_interval_secs, spec.sni_pattern, state_text(rule.state),
        stored_reason(rule.state, rule.failure_reason), rule.created_at, rule.last_state_change_at,
        caps.bandwidth_in_bps, caps.bandwidth_out_bps, caps.new_connections_per_sec,
        caps.concurrent_connections, caps.bandwidth_in_burst, caps.bandwidth_out_burst,
        caps.new_connections_burst)
      .run();
}

void insert_targets(Connection& connection, RuleId id, const std::vector<model::Target>& targets) {
  for (std::size_t row = 0; row < targets.size(); ++row) {
    const model::Target& target = targets[row];
    Query(connection,
          "INSERT INTO rule_targets (rule_id, row, host, port, priority, proxy_protocol) "
          "VALUES (?, ?, ?, ?, ?, ?)",
          id.value, row, target.host, target.port, target.priority, proxy_text(target.proxy))
        .run();
  }
}

/// Gives each rule of the list, which ascends by id, its targets.
void read_targets(Connection& connection, std::vector<RuleRow>& rules) {
  Query query(connection,
              "SELECT rule_id, host, port, priority, proxy_protocol FROM rule_targets "
              "ORDER BY rule_id, row");
  auto rule = rules.begin();
  while (query.step()) {
    const RuleId id{static_cast<std::uint64_t>(query.integer(0))};
    while (rule != rules.end() && rule->spec.id < id) ++rule;
    if (rule == rules.end()) return;
    model::Target target;
    target.host = query.text(1);
    target.port = static_cast<std::uint16_t>(query.integer(2));
    target.priority = static_cast<std::uint32_t>(query.integer(3));
    if (!query.null(4)) target.proxy = parse_proxy_version(query.text(4));
    rule->spec.targets.push_back(std::move(target));
  }
}

}  // namespace

Result<RuleId> insert_rule(Connection& connection, const RuleRow& rule) {
  return guarded([&]() -> Result<RuleId> {
    insert_row(connection, rule);
    const RuleId id{static_cast<std::uint64_t>(connection.last_insert_id())};
    insert_targets(connection, id, rule.spec.targets);
    return id;
  });
}

Result<std::vector<RuleRow>> list_rules(Connection& connection) {
  return guarded([&]() -> Result<std::vector<RuleRow>> {
    std::vector<RuleRow> out;
    static const std::string sql = std::string(kSelectRules) + " ORDER BY rule_id";
    Query query(connection, sql);
    while (query.step()) out.push_back(read_row(query));
    read_targets(connection, out);
    return out;
  });
}

Result<std::vector<RuleRow>> list_rules_of(Connection& connection, std::string_view owner_id) {
  return guarded([&]() -> Result<std::vector<RuleRow>> {
    std::vector<RuleRow> out;
    static const std::string sql =
        std::string(kSelectRules) + " WHERE owner_id = ? ORDER BY rule_id";
    Query query(connection, sql, owner_id);
    while (query.step()) out.push_back(read_row(query));
    return out;
  });
}

Result<bool> set_rule_limit(Connection& connection, RuleId id,
                            const std::optional<model::RateLimit>& limit) {
  return guarded([&]() -> Result<bool> {
    const model::RateLimit caps = limit.value_or(model::RateLimit{});
    return Query(connection,
                 "UPDATE rules SET bandwidth_in_bps = ?, bandwidth_out_bps = ?, "
                 "new_connections_per_sec = ?, concurrent_connections = ?, "
                 "bandwidth_in_burst = ?, bandwidth_out_burst = ?, new_connections_burst = ? "
                 "WHERE rule_id = ?",
                 caps.bandwidth_in_bps, caps.bandwidth_out_bps, caps.new_connections_per_sec,
                 caps.concurrent_connections, caps.bandwidth_in_burst, caps.bandwidth_out_burst,
                 caps.new_connections_burst, id.value)
               .run() > 0;
  });
}

Result<bool> set_rule_state(Connection& connection, RuleId id, RuleState state,
                            std::string_view reason, SystemTime now) {
  return guarded([&]() -> Result<bool> {
    return Query(connection,
                 "UPDATE rules SET state = ?, failure_reason = ?, last_state_change_at = ? "
                 "WHERE rule_id = ?",
                 state_text(state), stored_reason(state, reason), now, id.value)
               .run() > 0;
  });
}

Result<bool> remove_rule(Connection& connection, RuleId id) {
  return guarded([&]() -> Result<bool> {
    return Query(connection, "DELETE FROM rules WHERE rule_id = ?", id.value).run() > 0;
  });
}

Result<> bind_rules(Connection& connection, std::string_view name, std::string_view client_id) {
  return guarded([&]() -> Result<> {
    Query(connection, "UPDATE rules SET client_id = ? WHERE client_id IS NULL AND client_name = ?",
          client_id, name)
        .run();
    return {};
  });
}

Result<> rename_rules(Connection& connection, std::string_view client_id, std::string_view name) {
  return guarded([&]() -> Result<> {
    Query(connection, "UPDATE rules SET client_name = ? WHERE client_id = ?", name, client_id)
        .run();
    return {};
  });
}

}  // namespace portunus::server::store
