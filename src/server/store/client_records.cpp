#include "server/store/client_records.hpp"

#include "server/store/connection.hpp"
#include "server/store/grant_store.hpp"
#include "server/store/owner_limit_store.hpp"
#include "server/store/quota_store.hpp"
#include "server/store/rule_store.hpp"
#include "server/store/traffic_sample_store.hpp"

namespace portunus::server::store {
namespace {

using Change = Result<> (*)(Connection&, std::string_view, std::string_view);

template <std::size_t N>
Result<> all(const Change (&changes)[N], Connection& connection, std::string_view first,
             std::string_view second) {
  for (const Change change : changes) {
    if (auto done = change(connection, first, second); !done) return done;
  }
  return {};
}

}  // namespace

Result<> bind_records(Connection& connection, std::string_view name, std::string_view client_id) {
  static constexpr Change kChanges[] = {bind_rules, bind_grants, bind_owner_limits, bind_quotas,
                                        bind_series};
  return all(kChanges, connection, name, client_id);
}

Result<> rename_records(Connection& connection, std::string_view client_id, std::string_view name) {
  static constexpr Change kChanges[] = {rename_rules, rename_grants, rename_owner_limits,
                                        rename_quotas, rename_series};
  return all(kChanges, connection, client_id, name);
}

Result<> unbind_records(Connection& connection, std::string_view client_id, std::string_view name) {
  // Rules and grants have keys of their own and follow by their foreign key.
  static constexpr Change kChanges[] = {unbind_owner_limits, unbind_quotas, unbind_series};
  return all(kChanges, connection, client_id, name);
}

}  // namespace portunus::server::store
