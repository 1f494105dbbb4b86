#include "dataplane/dns/dns_cache.hpp"

#include <algorithm>
#include <utility>

#include "common/base/assert.hpp"
#include "common/base/deadline.hpp"

namespace portunus::dataplane::dns {
namespace {

std::chrono::seconds lifetime(const Resolved& resolved) {
  const std::chrono::seconds ttl(resolved.ttl.value_or(0));
  return std::clamp<std::chrono::seconds>(ttl, DnsCache::kTtlFloor, DnsCache::kTtlCeiling);
}

}  // namespace

DnsCache::DnsCache(Limits limits) : limits_(limits) {
  PORTUNUS_ASSERT(limits_.lookups > 0 && limits_.entries > limits_.lookups);
}

DnsCache::Actions DnsCache::ask(std::string_view name, WaiterId waiter, SteadyTime now,
                                Asker asker) {
  Actions out;
  expire_lookups(now, out);
  const auto found = entries_.find(name);
  Entries::value_type* node = found == entries_.end() ? nullptr : &*found;
  if (node && node->second.state == State::resolving) {
    node->second.waiters.push_back(waiter);
    return out;
  }
  if (node && now < node->second.expiry->first) {
    out.deliver.push_back({waiter, known(node->second)});
    return out;
  }
  if (const auto under_way = too_many(asker)) {
    out.deliver.push_back({waiter, overloaded(node, *under_way, now)});
    return out;
  }
  if (!node) {
    make_room();
    node = &*entries_.try_emplace(std::string(name)).first;
  } else {
    // Only what has just expired may go on serving when the refresh fails: a grace is granted once.
    if (node->second.state != State::fresh) node->second.addresses.reset();
    by_expiry_.erase(node->second.expiry);
  }
  node->second.taken_over = false;
  node->second.waiters.assign(1, waiter);
  start_lookup(*node, asker, now, out);
  return out;
}

DnsCache::Actions DnsCache::finish(LookupId lookup, LookupOutcome outcome, SteadyTime now) {
  Actions out;
  const auto found = lookups_.find(lookup);
  if (found == lookups_.end()) return out;
  settle(*end_lookup(found).node, std::move(outcome), now, out);
  return out;
}

DnsCache::Actions DnsCache::tick(SteadyTime now) {
  Actions out;
  expire_lookups(now, out);
  return out;
}

std::optional<SteadyTime> DnsCache::next_tick() const {
  if (lookups_.empty()) return std::nullopt;
  return overdue_at(lookups_.begin()->second);
}

DnsCache::Actions DnsCache::abort(const LookupError& error) {
  Actions out;
  for (const auto& [id, lookup] : lookups_) {
    out.abandon.push_back(id);
    for (const WaiterId waiter : lookup.node->second.waiters) {
      out.deliver.push_back({waiter, std::unexpected(error)});
    }
    entries_.erase(entries_.find(lookup.node->first));
  }
  lookups_.clear();
  shares_.clear();
  return out;
}

Reply DnsCache::known(const Entry& entry) const {
  switch (entry.state) {
    case State::fresh:
      return Answer{entry.addresses, Answer::Source::cache};
    case State::stale:
      return Answer{entry.addresses, Answer::Source::stale};
    case State::failed:
      return std::unexpected(entry.error);
    case State::resolving:
      break;
  }
  std::unreachable();
}

std::optional<std::size_t> DnsCache::too_many(Asker asker) const {
  if (lookups_.size() >= limits_.lookups) return lookups_.size();
  const auto share = shares_.find(asker);
  if (share == shares_.end() || share->second < limits_.per_asker) return std::nullopt;
  return share->second;
}

/// The lookup that cannot be made counts as failed where there are addresses that may go on
/// serving. Of any other name nothing has been learnt, so nothing is remembered (DNS-6).
Reply DnsCache::overloaded(Entries::value_type* node, std::size_t under_way, SteadyTime now) {
  if (node && node->second.state == State::fresh) {
    by_expiry_.erase(node->second.expiry);
    hold(*node, State::stale, now + kStaleGrace);
    return known(node->second);
  }
  return std::unexpected(LookupError{Failure::resolver_overloaded,
                                     std::to_string(under_way) + " lookups are under way"});
}

/// Elapsed entries have the earliest expiry of all, so one order serves both halves of DNS-8.
void DnsCache::make_room() {
  if (entries_.size() < limits_.entries) return;
  PORTUNUS_ASSERT(!by_expiry_.empty());
  const auto victim = by_expiry_.begin();
  entries_.erase(entries_.find(victim->second->first));
  by_expiry_.erase(victim);
}

void DnsCache::start_lookup(Entries::value_type& node, Asker asker, SteadyTime now, Actions& out) {
  const auto id = static_cast<LookupId>(++last_lookup_);
  node.second.state = State::resolving;
  node.second.lookup = id;
  lookups_.emplace(id, Lookup{now, &node, asker});
  if (asker != Asker::nobody) ++shares_[asker];
  out.start.push_back({id, node.first});
}

DnsCache::Lookup DnsCache::end_lookup(Lookups::iterator lookup) {
  const Lookup ended = lookup->second;
  lookups_.erase(lookup);
  const auto share = shares_.find(ended.asker);
  if (share != shares_.end() && --share->second == 0) shares_.erase(share);
  return ended;
}

SteadyTime DnsCache::overdue_at(const Lookup& lookup) const {
  return deadline_after(deadline_after(lookup.started, limits_.attempt), kAbandonedAfter);
}

void DnsCache::settle(Entries::value_type& node, LookupOutcome outcome, SteadyTime now,
                      Actions& out) {
  Entry& entry = node.second;
  const std::vector<WaiterId> waiters = std::exchange(entry.waiters, {});
  if (outcome && outcome->v4.empty() && outcome->v6.empty()) {
    outcome = std::unexpected(LookupError{Failure::all_addrs_unreachable, "empty answer"});
  }
  if (outcome) {
    const SteadyTime until = now + lifetime(*outcome);
    entry.addresses = std::make_shared<const Addresses>(
        Addresses{std::move(outcome->v4), std::move(outcome->v6), until});
    hold(node, State::fresh, until);
  } else if (entry.addresses) {
    hold(node, State::stale, now + kStaleGrace);
  } else if (outcome.error().of_this_host) {
    // Nothing has been learnt about the name, so nothing is remembered (DNS-6).
    for (const WaiterId waiter : waiters) {
      out.deliver.push_back({waiter, std::unexpected(outcome.error())});
    }
    entries_.erase(entries_.find(node.first));
    return;
  } else {
    entry.error = std::move(outcome.error());
    hold(node, State::failed, now + kNegativeRetry);
  }
  for (const WaiterId waiter : waiters) {
    out.deliver.push_back({waiter, known(entry)});
    if (outcome && waiter == waiters.front()) {
      out.deliver.back().reply->source = Answer::Source::lookup;
    }
  }
}

void DnsCache::hold(Entries::value_type& node, State state, SteadyTime until) {
  node.second.state = state;
  node.second.expiry = by_expiry_.emplace(until, &node);
}

/// Waiters of a vanished lookup move to a new one. When that vanishes too they are told so: nobody
/// waits for longer than twice the limit.
void DnsCache::expire_lookups(SteadyTime now, Actions& out) {
  while (!lookups_.empty() && overdue_at(lookups_.begin()->second) <= now) {
    out.abandon.push_back(lookups_.begin()->first);
    const Lookup overdue = end_lookup(lookups_.begin());
    auto& node = *overdue.node;
    if (!node.second.taken_over) {
      node.second.taken_over = true;
      start_lookup(node, overdue.asker, now, out);
    } else {
      settle(node,
             std::unexpected(LookupError{Failure::attempt_timeout, "the lookup did not report"}),
             now, out);
    }
  }
}

}  // namespace portunus::dataplane::dns
