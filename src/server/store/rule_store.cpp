#include "server/store/rule_store.hpp"

#include "server/store/connection.hpp"

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

RuleRow read_row(const Query& query) {
  RuleRow row;
  row.spec.id = RuleId{static_cast<std::uint64_t>(query.integer(0))};
  row.client_id = query.optional_text(1);
  row.client_name = query.text(2);
  row.spec.owner_id = query.text(3);
  row.spec.protocol = query.text(4) == "udp" ? model::Protocol::udp : model::Protocol::tcp;
  row.spec.listen_port = static_cast<std::uint16_t>(query.integer(5));
  row.spec.target = {query.text(6), static_cast<std::uint16_t>(query.integer(7))};
  if (!query.null(8)) row.spec.prefer_ipv6 = query.flag(8);
  row.state = parse_state(query.text(9));
  row.failure_reason = query.optional_text(10).value_or("");
  row.created_at = query.time(11);
  row.last_state_change_at = query.time(12);
  return row;
}

}  // namespace

Result<RuleId> insert_rule(Connection& connection, const RuleRow& rule) {
  return guarded([&]() -> Result<RuleId> {
    const model::RuleSpec& spec = rule.spec;
    Query(connection,
          "INSERT INTO rules (client_id, client_name, owner_id, protocol, listen_port, "
          "target_host, target_port, prefer_ipv6, state, failure_reason, created_at, "
          "last_state_change_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          rule.client_id, rule.client_name, spec.owner_id, model::protocol_name(spec.protocol),
          spec.listen_port, spec.target.host, spec.target.port, spec.prefer_ipv6,
          state_text(rule.state), stored_reason(rule.state, rule.failure_reason), rule.created_at,
          rule.last_state_change_at)
        .run();
    return RuleId{static_cast<std::uint64_t>(connection.last_insert_id())};
  });
}

Result<std::vector<RuleRow>> list_rules(Connection& connection) {
  return guarded([&]() -> Result<std::vector<RuleRow>> {
    std::vector<RuleRow> out;
    Query query(connection,
                "SELECT rule_id, client_id, client_name, owner_id, protocol, listen_port, "
                "target_host, target_port, prefer_ipv6, state, failure_reason, created_at, "
                "last_state_change_at FROM rules ORDER BY rule_id");
    while (query.step()) out.push_back(read_row(query));
    return out;
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
