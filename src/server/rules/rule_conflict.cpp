#include "server/rules/rule_conflict.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "server/rules/errc.hpp"

namespace portunus::server::rules {
namespace {

using Overlaps = std::vector<const model::RuleSpec*>;

Overlaps overlapping(const RuleBook& book, std::string_view client_id,
                     const model::RuleSpec& candidate) {
  Overlaps out;
  book.each_of(client_id, [&](const RuleBook::Entry& entry) {
    const store::RuleRow& row = entry.row;
    if (row.state == store::RuleState::pending) return;
    if (row.spec.protocol == candidate.protocol && row.spec.overlaps(candidate)) {
      out.push_back(&row.spec);
    }
  });
  return out;
}

Error port_in_use(const Overlaps& existing, const model::RuleSpec& candidate) {
  std::uint16_t first = candidate.last_listen_port();
  for (const model::RuleSpec* rule : existing) {
    first = std::min(first, std::max(rule->listen_port, candidate.listen_port));
  }
  return {Errc::port_in_use, "port " + std::to_string(first) + " already in use"};
}

}  // namespace

std::optional<Error> find_conflict(const RuleBook& book, std::string_view client_id,
                                   const model::RuleSpec& candidate) {
  const Overlaps existing = overlapping(book, client_id, candidate);
  if (existing.empty()) return std::nullopt;
  const auto one_port = [](const model::RuleSpec* rule) { return rule->ports == 1; };
  const auto has_pattern = [](const model::RuleSpec* rule) {
    return rule->sni_pattern.has_value();
  };
  const bool may_share = candidate.protocol == model::Protocol::tcp && candidate.ports == 1 &&
                         std::ranges::all_of(existing, one_port);
  const bool sni_mode = std::ranges::any_of(existing, has_pattern);
  if (!may_share || (!sni_mode && !candidate.sni_pattern)) return port_in_use(existing, candidate);

  const std::string port = "port " + std::to_string(candidate.listen_port);
  if (!sni_mode) {
    return Error{Errc::legacy_to_sni_unsupported, port + " has a rule without sni_pattern"};
  }
  const auto same_pattern = [&](const model::RuleSpec* rule) {
    return rule->sni_pattern == candidate.sni_pattern;
  };
  if (std::ranges::none_of(existing, same_pattern)) return std::nullopt;
  if (!candidate.sni_pattern) {
    return Error{Errc::sni_fallback_duplicate, port + " has a rule for all other names"};
  }
  return Error{Errc::sni_route_duplicate, port + " has a rule for " + *candidate.sni_pattern};
}

}  // namespace portunus::server::rules
