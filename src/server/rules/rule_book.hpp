#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/clock.hpp"
#include "server/rules/rule_service.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::rules {

/// The mirror of the stored rules, changed by its owner right after each commit. One thread.
class RuleBook {
 public:
  struct LaterStatus {
    Outcome outcome;
    std::string reason;
  };
  struct Entry {
    /// As shown. A rule being replayed shows pending while the store, whose word stays true over a
    /// restart, keeps `stored` until a status says otherwise.
    store::RuleRow row;
    store::RuleState stored = store::RuleState::pending;
    /// A status is being applied; `later` holds the newest one that arrived meanwhile. So statuses
    /// keep their order, and no edge can queue more than one write per rule.
    bool settling = false;
    std::optional<LaterStatus> later;
  };

  void add(store::RuleRow row);
  /// Every way of a rule out of the server ends here; `erased` (see on_erase) is called afterwards.
  void erase(RuleId id);
  void on_erase(std::function<void(RuleId)> erased) { erased_ = std::move(erased); }
  Entry* find(RuleId id);
  const Entry* find(RuleId id) const;
  const std::map<RuleId, Entry>& entries() const { return entries_; }
  /// Those of one client, ascending.
  template <class F>
  void each_of(std::string_view client_id, F visit) const {
    const auto client = clients_.find(client_id);
    if (client == clients_.end()) return;
    for (const auto& [id, entry] : client->second) visit(std::as_const(*entry));
  }

  /// After the commit of a new state.
  void set_state(Entry& entry, store::RuleState state, std::string reason, SystemTime now);
  /// Ascending.
  std::vector<RuleId> of_client(std::string_view client_id) const;
  /// The client's active and pending rules, which show pending from now on, in the order of a
  /// replay: ascending, but on one port rules with an SNI pattern before the one without, or the
  /// first bind would take the port in plain mode (control-wire 6.2).
  std::vector<Entry*> start_replay(std::string_view client_id);
  /// Whether the client has a rule with an SNI pattern on the port.
  bool has_sni_port(std::string_view client_id, std::uint16_t port) const;

  /// Rules of the bare name belong to the client.
  void bind(std::string_view name, std::string_view client_id);
  void rename(std::string_view client_id, std::string_view name);
  /// Rules of the client are under its bare name.
  void unbind(std::string_view client_id);

 private:
  using OfClient = std::map<RuleId, Entry*>;
  /// Brings all rules under that key under the client, as its rules are from now on.
  void move(const std::string& from, const store::ClientRef& to);

  std::map<RuleId, Entry> entries_;
  /// The same by ClientRef::key(): what an edge does must not cost more the more others there are.
  std::map<std::string, OfClient, std::less<>> clients_;
  std::function<void(RuleId)> erased_;
};

}  // namespace portunus::server::rules
