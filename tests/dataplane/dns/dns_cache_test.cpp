#include "dataplane/dns/dns_cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace portunus::dataplane::dns {
namespace {

using namespace std::chrono_literals;
using Source = Answer::Source;

net::IpAddress ip(std::string_view text) {
  return *net::IpAddress::parse(text);
}

Resolved found(std::string_view address, std::optional<std::uint32_t> ttl = 60) {
  return {{ip(address)}, {}, ttl};
}

LookupOutcome failed(Failure failure = Failure::servfail) {
  return std::unexpected(LookupError{failure, "why"});
}
LookupOutcome failed_by_this_host() {
  return std::unexpected(LookupError{Failure::other, "no descriptor", true});
}

/// Keeps the books of a caller: which lookups it was told to run and who got which reply.
class Script {
 public:
  explicit Script(DnsCache::Limits limits = {}) : cache(limits) {}

  /// The waiter's number; its reply, if it came at once, is in `replies`.
  int ask(const std::string& name, Asker asker = Asker::nobody) {
    const int waiter = ++last_waiter_;
    take(cache.ask(name, DnsCache::WaiterId(waiter), now, asker));
    return waiter;
  }
  /// Ends the running lookup for the name.
  void finish(const std::string& name, LookupOutcome outcome) {
    const auto lookup = running.at(name);
    running.erase(name);
    take(cache.finish(lookup, std::move(outcome), now));
  }
  void tick() { take(cache.tick(now)); }

  bool waits(int waiter) const { return !replies.contains(waiter); }
  /// The one address that a waiter got.
  std::string address(int waiter) const {
    const Reply& reply = replies.at(waiter);
    if (!reply) return std::string(failure_name(reply.error().failure));
    EXPECT_EQ(reply->addresses->size(), 1U);
    return reply->addresses->v4.at(0).text();
  }
  Source source(int waiter) const { return replies.at(waiter).value().source; }
  std::optional<Failure> failure(int waiter) const {
    const Reply& reply = replies.at(waiter);
    if (reply) return std::nullopt;
    return reply.error().failure;
  }
  /// Asks, answers the lookup that this starts, and forgets about it.
  void learn(const std::string& name, const LookupOutcome& outcome = found("10.0.0.1")) {
    ask(name);
    finish(name, outcome);
  }

  DnsCache cache;
  SteadyTime now{1h};
  std::map<std::string, DnsCache::LookupId> running;
  std::set<DnsCache::LookupId> abandoned;
  std::map<int, Reply> replies;
  int started = 0;

 private:
  void take(DnsCache::Actions actions) {
    for (auto& [waiter, reply] : actions.deliver) {
      const bool first = replies.emplace(static_cast<int>(waiter), std::move(reply)).second;
      EXPECT_TRUE(first) << "answered twice";
    }
    abandoned.insert(actions.abandon.begin(), actions.abandon.end());
    for (const auto& start : actions.start) {
      running[start.name] = start.lookup;
      ++started;
    }
  }
  int last_waiter_ = 0;
};

TEST(DnsCache, DNS_2_nothing_is_asked_before_someone_wants_it) {
  Script s;
  EXPECT_EQ(s.cache.next_tick(), std::nullopt);
  const int waiter = s.ask("a.test");
  EXPECT_TRUE(s.waits(waiter));
  EXPECT_EQ(s.started, 1);
  s.finish("a.test", found("10.0.0.1"));
  EXPECT_EQ(s.address(waiter), "10.0.0.1");
  EXPECT_EQ(s.source(waiter), Source::lookup);
  EXPECT_EQ(s.cache.lookups(), 0U);
}

TEST(DnsCache, DNS_3_one_answer_serves_everybody_while_it_is_fresh) {
  Script s;
  s.learn("a.test", found("10.0.0.1", 60));
  s.now += 59'999ms;
  const int one = s.ask("a.test");
  const int two = s.ask("a.test");
  EXPECT_EQ(s.source(one), Source::cache);
  EXPECT_EQ(s.replies.at(one)->addresses, s.replies.at(two)->addresses) << "one object";
  EXPECT_EQ(s.started, 1);
  s.ask("b.test");
  EXPECT_EQ(s.started, 2) << "names are apart";
}

TEST(DnsCache, DNS_4_the_ttl_is_clamped_and_its_absence_is_the_floor) {
  const std::vector<std::pair<std::optional<std::uint32_t>, std::chrono::seconds>> cases = {
      {std::nullopt, 5s}, {0, 5s},     {4, 5s},     {5, 5s},           {6, 6s},
      {299, 299s},        {300, 300s}, {301, 300s}, {0xffffffff, 300s}};
  for (const auto& [ttl, lifetime] : cases) {
    SCOPED_TRACE(lifetime.count());
    Script s;
    const int waiter = s.ask("a.test");
    s.finish("a.test", found("10.0.0.1", ttl));
    EXPECT_EQ(s.replies.at(waiter)->addresses->fresh_until, s.now + lifetime);
    s.now += lifetime - 1ns;
    EXPECT_FALSE(s.waits(s.ask("a.test")));
    s.now += 1ns;
    EXPECT_TRUE(s.waits(s.ask("a.test")));
    EXPECT_EQ(s.started, 2);
  }
}

TEST(DnsCache, DNS_4_an_empty_answer_is_a_failure) {
  Script s;
  const int waiter = s.ask("a.test");
  s.finish("a.test", Resolved{{}, {}, 60});
  EXPECT_EQ(s.failure(waiter), Failure::all_addrs_unreachable);
  EXPECT_EQ(s.failure(s.ask("a.test")), Failure::all_addrs_unreachable);
  EXPECT_EQ(s.started, 1);
}

TEST(DnsCache, DNS_4_an_empty_answer_to_a_refresh_leaves_the_old_addresses) {
  Script s;
  s.learn("a.test", found("10.0.0.1", 5));
  s.now += 5s;
  const int waiter = s.ask("a.test");
  s.finish("a.test", Resolved{{}, {}, 60});
  EXPECT_EQ(s.address(waiter), "10.0.0.1");
  EXPECT_EQ(s.source(waiter), Source::stale);
}

TEST(DnsCache, DNS_7_being_resolved_everyone_waits_for_the_one_lookup) {
  Script s;
  const int first = s.ask("a.test");
  const int second = s.ask("a.test");
  const int third = s.ask("a.test");
  EXPECT_EQ(s.started, 1);
  EXPECT_TRUE(s.waits(first) && s.waits(second) && s.waits(third));
  s.finish("a.test", found("10.0.0.1"));
  EXPECT_EQ(s.source(first), Source::lookup);
  EXPECT_EQ(s.source(second), Source::cache);
  EXPECT_EQ(s.source(third), Source::cache);
  EXPECT_EQ(s.address(third), "10.0.0.1");
}

TEST(DnsCache, DNS_7_waiters_of_a_lookup_that_fails_get_its_error) {
  Script s;
  const int first = s.ask("a.test");
  const int second = s.ask("a.test");
  s.finish("a.test", failed(Failure::nxdomain));
  EXPECT_EQ(s.failure(first), Failure::nxdomain);
  EXPECT_EQ(s.failure(second), Failure::nxdomain);
  EXPECT_EQ(s.replies.at(second).error().detail, "why");
  EXPECT_EQ(s.started, 1) << "none of them asks again";
}

TEST(DnsCache, DNS_2_expired_is_refreshed_once_and_may_change) {
  Script s;
  s.learn("a.test", found("10.0.0.1", 60));
  s.now += 60s;
  const int first = s.ask("a.test");
  const int second = s.ask("a.test");
  EXPECT_TRUE(s.waits(first) && s.waits(second)) << "old addresses are not used before the refresh";
  EXPECT_EQ(s.started, 2);
  s.finish("a.test", found("10.0.0.2", 60));
  EXPECT_EQ(s.address(first), "10.0.0.2");
  EXPECT_EQ(s.source(first), Source::lookup);
  EXPECT_EQ(s.address(second), "10.0.0.2");
  EXPECT_EQ(s.address(s.ask("a.test")), "10.0.0.2");
}

TEST(DnsCache, DNS_10_expired_and_refresh_failed_serves_stale_for_thirty_seconds_from_the_failure) {
  Script s;
  s.learn("a.test", found("10.0.0.1", 60));
  s.now += 10min;  // long past its time: what counts is when the refresh failed
  const int first = s.ask("a.test");
  const int second = s.ask("a.test");
  s.now += 3s;
  s.finish("a.test", failed(Failure::attempt_timeout));
  for (const int waiter : {first, second}) {
    EXPECT_EQ(s.address(waiter), "10.0.0.1");
    EXPECT_EQ(s.source(waiter), Source::stale);
  }
  s.now += 29'999ms;
  const int third = s.ask("a.test");
  EXPECT_EQ(s.address(third), "10.0.0.1");
  EXPECT_EQ(s.source(third), Source::stale);
  EXPECT_LE(s.replies.at(third)->addresses->fresh_until, s.now) << "not to be kept by anyone";
  EXPECT_EQ(s.started, 2) << "no lookup while the grace runs";
}

TEST(DnsCache, DNS_2_stale_time_over_one_lookup_and_its_failure_serves_nothing_old) {
  Script s;
  s.learn("a.test", found("10.0.0.1", 5));
  s.now += 5s;
  s.learn("a.test", failed());
  s.now += 30s;
  const int waiter = s.ask("a.test");
  EXPECT_TRUE(s.waits(waiter));
  EXPECT_EQ(s.started, 3);
  s.finish("a.test", failed(Failure::attempt_timeout));
  EXPECT_EQ(s.failure(waiter), Failure::attempt_timeout);
  EXPECT_EQ(s.failure(s.ask("a.test")), Failure::attempt_timeout) << "failed, not stale again";
  EXPECT_EQ(s.started, 3);
}

TEST(DnsCache, DNS_2_stale_time_over_and_the_lookup_succeeds) {
  Script s;
  s.learn("a.test", found("10.0.0.1", 5));
  s.now += 5s;
  s.learn("a.test", failed());
  s.now += 30s;
  const int waiter = s.ask("a.test");
  s.finish("a.test", found("10.0.0.2", 5));
  EXPECT_EQ(s.address(waiter), "10.0.0.2");
  EXPECT_EQ(s.source(waiter), Source::lookup);
  s.now += 5s;
  s.learn("a.test", failed());
  EXPECT_EQ(s.source(s.ask("a.test")), Source::stale) << "a new answer brings a new grace";
}

TEST(DnsCache, DNS_2_failed_is_remembered_for_three_seconds) {
  Script s;
  s.learn("a.test", failed(Failure::nxdomain));
  s.now += 2'999ms;
  const int early = s.ask("a.test");
  EXPECT_EQ(s.failure(early), Failure::nxdomain);
  EXPECT_EQ(s.replies.at(early).error().detail, "why");
  EXPECT_EQ(s.started, 1);
  s.now += 1ms;
  const int late = s.ask("a.test");
  EXPECT_TRUE(s.waits(late));
  EXPECT_EQ(s.started, 2);
  s.finish("a.test", failed(Failure::servfail));
  EXPECT_EQ(s.failure(late), Failure::servfail);
  EXPECT_EQ(s.failure(s.ask("a.test")), Failure::servfail) << "the last error, not the first";
}

TEST(DnsCache, DNS_6_a_lookup_that_this_host_could_not_make_is_not_held_against_the_name) {
  Script s;
  const int first = s.ask("a.test");
  const int second = s.ask("a.test");
  EXPECT_EQ(s.started, 1) << "they wait for one";
  s.finish("a.test", failed_by_this_host());
  for (const int waiter : {first, second}) {
    EXPECT_EQ(s.failure(waiter), Failure::other);
    EXPECT_TRUE(s.replies.at(waiter).error().of_this_host);
  }
  EXPECT_FALSE(s.cache.knows("a.test"));
  EXPECT_EQ(s.cache.lookups(), 0U);
  const int next = s.ask("a.test");
  EXPECT_TRUE(s.waits(next));
  EXPECT_EQ(s.started, 2);
  s.finish("a.test", found("10.0.0.1"));
  EXPECT_EQ(s.address(next), "10.0.0.1");
}

TEST(DnsCache, DNS_6_a_refresh_that_this_host_could_not_make_leaves_the_old_addresses) {
  Script s;
  s.learn("a.test", found("10.0.0.1", 5));
  s.now += 5s;
  const int waiter = s.ask("a.test");
  s.finish("a.test", failed_by_this_host());
  EXPECT_EQ(s.source(waiter), Source::stale);
  s.now += 30s;
  const int late = s.ask("a.test");
  s.finish("a.test", failed_by_this_host());
  EXPECT_TRUE(s.replies.at(late).error().of_this_host);
  EXPECT_FALSE(s.cache.knows("a.test"));
}

TEST(DnsCache, DNS_6_the_sixty_fifth_lookup_fails_at_once_and_is_not_queued) {
  Script s;
  std::vector<int> waiters;
  for (int i = 0; i < 64; ++i) waiters.push_back(s.ask("n" + std::to_string(i)));
  EXPECT_EQ(s.cache.lookups(), 64U);
  const int refused = s.ask("more.test");
  EXPECT_EQ(s.failure(refused), Failure::resolver_overloaded);
  EXPECT_FALSE(s.cache.knows("more.test"));
  EXPECT_EQ(s.started, 64);
  EXPECT_TRUE(s.waits(s.ask("n0"))) << "to wait for a lookup takes no permit";

  s.finish("n5", failed());
  EXPECT_EQ(s.started, 64) << "nothing was queued";
  EXPECT_TRUE(s.waits(s.ask("more.test"))) << "and nothing was held against the name";
  EXPECT_EQ(s.failure(s.ask("yet-more.test")), Failure::resolver_overloaded);
}

TEST(DnsCache, an_asker_has_a_share_of_the_lookups_where_the_limits_say_so) {
  Script s({.entries = 8, .lookups = 4, .per_asker = 2});
  const Asker one{1};
  const Asker two{2};
  const int first = s.ask("a.test", one);
  s.ask("b.test", one);
  const int refused = s.ask("c.test", one);
  EXPECT_EQ(s.failure(refused), Failure::resolver_overloaded);
  EXPECT_EQ(s.replies.at(refused).error().detail, "2 lookups are under way");
  EXPECT_TRUE(s.waits(s.ask("c.test", two)));
  EXPECT_TRUE(s.waits(s.ask("c.test", one))) << "to wait for a lookup of another takes no permit";
  EXPECT_TRUE(s.waits(s.ask("d.test"))) << "nobody in particular has no share";
  EXPECT_EQ(s.failure(s.ask("e.test", two)), Failure::resolver_overloaded) << "four are under way";
  s.finish("a.test", found("10.0.0.1"));
  EXPECT_FALSE(s.waits(first));
  EXPECT_TRUE(s.waits(s.ask("e.test", one)));
  // One that vanishes is replaced in the same share.
  s.now += 4s;
  s.tick();
  EXPECT_EQ(s.cache.lookups(), 4U);
  s.finish("d.test", failed());
  EXPECT_EQ(s.failure(s.ask("f.test", one)), Failure::resolver_overloaded);
  s.finish("b.test", failed());
  EXPECT_TRUE(s.waits(s.ask("f.test", one)));
}

TEST(DnsCache, DNS_6_a_cached_name_needs_no_permit) {
  Script s({.entries = 8, .lookups = 1});
  s.learn("fresh.test");
  s.ask("busy.test");
  EXPECT_EQ(s.source(s.ask("fresh.test")), Source::cache);
}

TEST(DnsCache, DNS_6_an_expired_name_that_cannot_be_refreshed_serves_stale) {
  Script s({.entries = 8, .lookups = 1});
  s.learn("a.test", found("10.0.0.1", 60));
  s.now += 60s;
  s.ask("busy.test");
  const int waiter = s.ask("a.test");
  EXPECT_EQ(s.address(waiter), "10.0.0.1");
  EXPECT_EQ(s.source(waiter), Source::stale);
  s.finish("busy.test", failed());
  s.now += 29'999ms;
  EXPECT_EQ(s.source(s.ask("a.test")), Source::stale);
  s.now += 1ms;
  EXPECT_TRUE(s.waits(s.ask("a.test")));
}

TEST(DnsCache, DNS_6_a_name_with_nothing_to_serve_is_refused_and_may_ask_again_at_any_time) {
  Script s({.entries = 8, .lookups = 1});
  s.learn("a.test", failed());
  s.now += 3s;
  s.ask("busy.test");
  EXPECT_EQ(s.failure(s.ask("a.test")), Failure::resolver_overloaded);
  s.finish("busy.test", failed());
  EXPECT_TRUE(s.waits(s.ask("a.test")));
}

TEST(DnsCache, DNS_7_a_lookup_without_an_owner_is_taken_over_after_four_seconds) {
  Script s;
  const int first = s.ask("a.test");
  const int second = s.ask("a.test");
  const auto vanished = s.running.at("a.test");
  EXPECT_EQ(s.cache.next_tick(), s.now + 4s);
  s.now += 3'999ms;
  s.tick();
  EXPECT_EQ(s.started, 1);
  s.now += 1ms;
  s.tick();
  EXPECT_EQ(s.started, 2);
  EXPECT_TRUE(s.abandoned.contains(vanished));
  EXPECT_EQ(s.cache.lookups(), 1U) << "its permit went with it";
  EXPECT_EQ(s.cache.next_tick(), s.now + 4s);
  s.finish("a.test", found("10.0.0.2"));
  EXPECT_EQ(s.address(first), "10.0.0.2");
  EXPECT_EQ(s.address(second), "10.0.0.2");
}

TEST(DnsCache, a_lookup_of_a_longer_attempt_is_waited_for_accordingly) {
  Script s({.attempt = 15s});
  s.ask("a.test");
  EXPECT_EQ(s.cache.next_tick(), s.now + 16s);
  s.now += 15'999ms;
  s.tick();
  EXPECT_EQ(s.started, 1);
  s.now += 1ms;
  s.tick();
  EXPECT_EQ(s.started, 2);
}

TEST(DnsCache, DNS_7_the_next_question_takes_over_where_nobody_keeps_time) {
  Script s;
  const int first = s.ask("a.test");
  s.now += 4s;
  const int second = s.ask("a.test");
  EXPECT_EQ(s.started, 2);
  s.finish("a.test", found("10.0.0.2"));
  EXPECT_EQ(s.address(first), "10.0.0.2");
  EXPECT_EQ(s.address(second), "10.0.0.2");
}

TEST(DnsCache, DNS_7_what_a_vanished_lookup_reports_in_the_end_is_ignored) {
  Script s;
  const int waiter = s.ask("a.test");
  const auto vanished = s.running.at("a.test");
  s.now += 4s;
  s.tick();
  const auto late = s.cache.finish(vanished, found("10.0.0.1"), s.now);
  EXPECT_TRUE(late.deliver.empty());
  EXPECT_TRUE(s.waits(waiter));
  s.finish("a.test", found("10.0.0.2"));
  EXPECT_EQ(s.address(waiter), "10.0.0.2");
}

TEST(DnsCache, DNS_7_nobody_waits_for_longer_than_two_lookups) {
  Script s;
  const int waiter = s.ask("a.test");
  s.now += 4s;
  s.tick();
  s.now += 4s;
  s.tick();
  EXPECT_EQ(s.failure(waiter), Failure::attempt_timeout);
  EXPECT_EQ(s.failure(s.ask("a.test")), Failure::attempt_timeout);
  EXPECT_EQ(s.cache.lookups(), 0U);
  s.now += 3s;
  EXPECT_TRUE(s.waits(s.ask("a.test"))) << "and the next lookup has both chances again";
  s.now += 4s;
  s.tick();
  EXPECT_EQ(s.running.size(), 1U);
  EXPECT_EQ(s.cache.lookups(), 1U);
}

TEST(DnsCache, DNS_7_a_refresh_that_vanishes_twice_serves_stale) {
  Script s;
  s.learn("a.test", found("10.0.0.1", 5));
  s.now += 5s;
  const int waiter = s.ask("a.test");
  s.now += 4s;
  s.tick();
  s.now += 4s;
  s.tick();
  EXPECT_EQ(s.address(waiter), "10.0.0.1");
  EXPECT_EQ(s.source(waiter), Source::stale);
}

TEST(DnsCache, DNS_7_only_overdue_lookups_are_taken_over) {
  Script s;
  s.ask("old.test");
  s.now += 2s;
  s.ask("young.test");
  const auto young = s.running.at("young.test");
  s.now += 2s;
  s.tick();
  EXPECT_EQ(s.started, 3);
  EXPECT_EQ(s.running.at("young.test"), young);
  EXPECT_EQ(s.cache.next_tick(), s.now + 2s);
}

TEST(DnsCache, DNS_8_never_more_than_8192_entries) {
  Script s;
  for (int i = 0; i < 3 * 8192; ++i) {
    s.learn("n" + std::to_string(i), i % 3 ? LookupOutcome(found("10.0.0.1")) : failed());
    s.now += 1ms;
    ASSERT_LE(s.cache.entries(), 8192U);
  }
  EXPECT_EQ(s.cache.entries(), 8192U);
  EXPECT_TRUE(s.cache.knows("n" + std::to_string(3 * 8192 - 1)));
}

TEST(DnsCache, DNS_8_elapsed_entries_make_room_first) {
  Script s({.entries = 4, .lookups = 2});
  s.learn("long.test", found("10.0.0.1", 300));
  s.learn("elapsed.test", found("10.0.0.1", 5));
  s.learn("refused.test", failed());
  s.now += 6s;
  s.learn("soon.test", found("10.0.0.1", 5));
  s.learn("new.test");
  EXPECT_FALSE(s.cache.knows("refused.test"));
  s.learn("newer.test");
  EXPECT_FALSE(s.cache.knows("elapsed.test"));
  EXPECT_TRUE(s.cache.knows("soon.test"));
  EXPECT_TRUE(s.cache.knows("long.test"));
}

TEST(DnsCache, DNS_8_then_the_live_entry_that_expires_soonest_however_recently_it_was_used) {
  Script s({.entries = 3, .lookups = 2});
  s.learn("soon.test", found("10.0.0.1", 10));
  s.learn("late.test", found("10.0.0.1", 300));
  s.learn("mid.test", found("10.0.0.1", 100));
  s.now += 1s;
  EXPECT_EQ(s.source(s.ask("soon.test")), Source::cache);
  s.learn("new.test", found("10.0.0.1", 200));
  EXPECT_FALSE(s.cache.knows("soon.test"));
  s.learn("newer.test", found("10.0.0.1", 250));
  EXPECT_FALSE(s.cache.knows("mid.test"));
  EXPECT_TRUE(s.cache.knows("late.test"));
}

TEST(DnsCache, DNS_8_a_refreshed_entry_counts_with_its_new_time) {
  Script s({.entries = 2, .lookups = 1});
  s.learn("a.test", found("10.0.0.1", 5));
  s.learn("b.test", found("10.0.0.1", 100));
  s.now += 5s;
  s.learn("a.test", found("10.0.0.1", 300));
  s.learn("c.test");
  EXPECT_TRUE(s.cache.knows("a.test"));
  EXPECT_FALSE(s.cache.knows("b.test"));
}

TEST(DnsCache, DNS_8_a_lookup_in_progress_is_never_evicted) {
  Script s({.entries = 3, .lookups = 2});
  s.learn("old.test", found("10.0.0.1", 5));
  s.now += 1min;
  const int refresh = s.ask("old.test");
  const int first = s.ask("first.test");
  s.finish("first.test", found("10.0.0.1", 300));
  for (int i = 0; i < 10; ++i) s.learn("n" + std::to_string(i), found("10.0.0.1", 300));
  EXPECT_TRUE(s.cache.knows("old.test"));
  EXPECT_TRUE(s.waits(refresh));
  s.finish("old.test", found("10.0.0.7"));
  EXPECT_EQ(s.address(refresh), "10.0.0.7");
  EXPECT_EQ(s.address(first), "10.0.0.1");
}

TEST(DnsCache, DNS_8_a_name_that_is_known_evicts_nothing) {
  Script s({.entries = 2, .lookups = 1});
  s.learn("a.test", found("10.0.0.1", 5));
  s.learn("b.test", found("10.0.0.1", 100));
  s.now += 5s;
  s.ask("a.test");
  EXPECT_TRUE(s.cache.knows("b.test"));
  EXPECT_EQ(s.cache.entries(), 2U);
}

TEST(DnsCache, DNS_8_a_refused_question_evicts_nothing) {
  Script s({.entries = 2, .lookups = 1});
  s.learn("a.test", found("10.0.0.1", 100));
  s.ask("busy.test");
  s.ask("more.test");
  EXPECT_TRUE(s.cache.knows("a.test"));
}

TEST(DnsCache, abort_answers_all_who_wait_and_gives_their_lookups_up) {
  Script s;
  s.learn("fresh.test");
  s.ask("a.test");
  s.ask("b.test");
  s.ask("b.test");
  const auto actions = s.cache.abort({Failure::other, "stopped"});
  EXPECT_EQ(actions.deliver.size(), 3U);
  EXPECT_EQ(actions.abandon.size(), 2U);
  for (const auto& delivery : actions.deliver) {
    EXPECT_EQ(delivery.reply.error().failure, Failure::other);
  }
  EXPECT_EQ(s.cache.lookups(), 0U);
  EXPECT_FALSE(s.cache.knows("a.test"));
  EXPECT_EQ(s.cache.next_tick(), std::nullopt);
}

}  // namespace
}  // namespace portunus::dataplane::dns
