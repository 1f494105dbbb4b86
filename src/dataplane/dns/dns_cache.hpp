#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/clock.hpp"
#include "dataplane/dns/answer.hpp"
#include "dataplane/dns/limits.hpp"
#include "dataplane/dns/lookup_outcome.hpp"

namespace portunus::dataplane::dns {

/// The state table of data-plane section 8 without any I/O: what is known about each name, who
/// waits for it, and which lookups run. Told what happens and when, it says what to do next. Time
/// must not go backwards between calls. Lives on the resolver's thread; every waiter is answered
/// exactly once, at the latest by tick() when its lookup has vanished (DNS-7).
class DnsCache {
 public:
  static constexpr std::chrono::seconds kTtlFloor{5};
  static constexpr std::chrono::seconds kTtlCeiling{300};
  static constexpr std::chrono::seconds kStaleGrace{30};
  static constexpr std::chrono::seconds kNegativeRetry{3};
  /// A lookup that has not reported by so long after its time has lost its owner (DNS-7).
  static constexpr std::chrono::seconds kAbandonedAfter{1};

  using Limits = dns::Limits;

  /// Chosen by the caller, one per ask().
  enum class WaiterId : std::uint64_t {};
  enum class LookupId : std::uint64_t {};

  struct Start {
    LookupId lookup;
    std::string name;
  };
  struct Delivery {
    WaiterId waiter;
    Reply reply;
  };
  struct Actions {
    std::vector<Delivery> deliver;
    std::vector<Start> start;
    /// Lookups whose result is no longer wanted.
    std::vector<LookupId> abandon;
  };

  DnsCache() : DnsCache(Limits{}) {}
  explicit DnsCache(Limits limits);
  DnsCache(const DnsCache&) = delete;
  DnsCache& operator=(const DnsCache&) = delete;

  /// `waiter` wants the addresses of `name` (lower case). A lookup that this starts is one of
  /// `asker`'s.
  Actions ask(std::string_view name, WaiterId waiter, SteadyTime now, Asker asker = Asker::nobody);
  /// A lookup has ended. Ignored when it was given up before.
  Actions finish(LookupId lookup, LookupOutcome outcome, SteadyTime now);
  /// Deals with the lookups that are overdue. Due at next_tick(); earlier or later is harmless.
  Actions tick(SteadyTime now);
  std::optional<SteadyTime> next_tick() const;
  /// Answers everyone who waits with `error` and gives all lookups up.
  Actions abort(const LookupError& error);

  std::size_t entries() const { return entries_.size(); }
  std::size_t lookups() const { return lookups_.size(); }
  bool knows(std::string_view name) const { return entries_.contains(name); }

 private:
  struct Entry;
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>{}(name);
    }
  };
  using Entries = std::unordered_map<std::string, Entry, NameHash, std::equal_to<>>;
  /// Nodes of `entries_`, which stay where they are. Equal times keep the order of arrival.
  using ByExpiry = std::multimap<SteadyTime, Entries::value_type*>;

  enum class State : std::uint8_t {
    resolving,
    fresh,
    stale,   ///< the last refresh failed, the old addresses serve on
    failed,  ///< the last lookup failed and there is nothing to serve
  };
  struct Entry {
    State state = State::resolving;
    /// A lookup that has replaced a vanished one is not replaced again.
    bool taken_over = false;
    /// Not while resolving: its place in by_expiry_, whose time ends the state.
    ByExpiry::iterator expiry{};
    /// Fresh or stale; while resolving, what may still serve if that fails.
    std::shared_ptr<const Addresses> addresses;
    LookupError error{};              ///< failed
    LookupId lookup{};                ///< resolving
    std::vector<WaiterId> waiters{};  ///< resolving; the first one has caused the lookup
  };
  struct Lookup {
    SteadyTime started;
    Entries::value_type* node;
    Asker asker;
  };
  using Lookups = std::map<LookupId, Lookup>;

  Reply known(const Entry& entry) const;
  /// Lookups under way, where one more would be too many.
  std::optional<std::size_t> too_many(Asker asker) const;
  Reply overloaded(Entries::value_type* node, std::size_t under_way, SteadyTime now);
  void make_room();
  void start_lookup(Entries::value_type& node, Asker asker, SteadyTime now, Actions& out);
  /// Its permit goes with it.
  Lookup end_lookup(Lookups::iterator lookup);
  SteadyTime overdue_at(const Lookup& lookup) const;
  void settle(Entries::value_type& node, LookupOutcome outcome, SteadyTime now, Actions& out);
  /// Puts `state` in force until `until`.
  void hold(Entries::value_type& node, State state, SteadyTime until);
  void expire_lookups(SteadyTime now, Actions& out);

  const Limits limits_;
  Entries entries_;
  ByExpiry by_expiry_;
  /// Ids grow with the time of the start, so the first one is the oldest.
  Lookups lookups_;
  /// How many of them are whose; of those who have some.
  std::unordered_map<Asker, std::size_t> shares_;
  std::uint64_t last_lookup_ = 0;
};

}  // namespace portunus::dataplane::dns
