// The resolver against a scripted name server, and what it promises to the threads that ask.

#include "dataplane/dns/resolver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tests/dataplane/dns/resolving.hpp"
#include "tests/dataplane/support/few_descriptors.hpp"
#include "tests/support/files.hpp"
#include "tests/support/scripted_dns.hpp"
#include "tests/support/temp_dir.hpp"

namespace portunus::dataplane::dns {
namespace {

using namespace std::chrono_literals;
using portunus::test::DnsAnswer;
using portunus::test::DnsQuestion;
using portunus::test::DnsRecord;
using portunus::test::FewDescriptors;
using portunus::test::kTypeA;
using portunus::test::kTypeAaaa;
using portunus::test::kTypeCname;
using portunus::test::ScriptedDns;
using test::Resolving;
using testing::ElementsAre;
using Answers = std::vector<DnsAnswer>;

std::chrono::steady_clock::time_point real_now() {
  return std::chrono::steady_clock::now();
}

/// One IPv4 address for every name.
ScriptedDns::Script always(const std::string& address, std::uint32_t ttl = 60) {
  return [=](const DnsQuestion& q) -> Answers {
    if (q.type != kTypeA) return {{}};
    return {{.records = {{q.name, kTypeA, ttl, address}}}};
  };
}

Answers silence(const DnsQuestion&) {
  return {};
}

std::size_t count(const ScriptedDns& server, const std::string& name, std::uint16_t type) {
  return static_cast<std::size_t>(std::ranges::count_if(
      server.questions(), [&](const DnsQuestion& q) { return q.name == name && q.type == type; }));
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

TEST(Resolver, DNS_2_a_silent_server_costs_three_seconds) {
  const ScriptedDns server(silence);
  Resolving r(server.server());
  const auto before = real_now();
  const Reply reply = r.resolve("a.test");
  const auto took = real_now() - before;
  EXPECT_EQ(reply.error().failure, Failure::attempt_timeout);
  EXPECT_GE(took, 2900ms);
  EXPECT_LT(took, 10s);
  EXPECT_GE(count(server, "a.test", kTypeA), 2U) << "asked again meanwhile";
}

TEST(Resolver, DNS_2_one_family_serves_when_the_other_one_is_never_answered) {
  const ScriptedDns server(
      [](const DnsQuestion& q) { return q.type == kTypeA ? always("10.0.0.1")(q) : Answers{}; });
  Resolving r(server.server());
  EXPECT_THAT(r.addresses("a.test"), ElementsAre("10.0.0.1"));
}

TEST(Resolver, an_attempt_may_be_longer_and_one_family_still_waits_three_seconds_for_the_other) {
  const auto started = real_now();
  const auto late = started + 4s;
  const ScriptedDns server([late](const DnsQuestion& q) {
    if (q.name == "late.test") std::this_thread::sleep_until(late);
    return q.type == kTypeA ? always("10.0.0.1")(q) : Answers{};
  });
  Resolving r(ResolverOptions{.servers = server.server(), .limits = {.attempt = 30s}});
  EXPECT_THAT(r.addresses("late.test"), ElementsAre("10.0.0.1"));
  EXPECT_GE(real_now(), late);
  EXPECT_LT(real_now() - started, 15s);
}

TEST(Resolver, DNS_2_a_server_that_fails_or_is_silent_or_absent_is_passed_over) {
  const ScriptedDns failing([](const DnsQuestion&) { return Answers{{.rcode = 2}}; });
  const ScriptedDns silent(silence);
  const ScriptedDns good(always("10.0.0.1"));
  {
    Resolving r(failing.server() + "," + good.server());
    EXPECT_THAT(r.addresses("a.test"), ElementsAre("10.0.0.1"));
  }
  {
    Resolving r(silent.server() + "," + good.server());
    EXPECT_THAT(r.addresses("a.test"), ElementsAre("10.0.0.1"));
  }
  Resolving r("127.0.0.1:1," + good.server());
  EXPECT_THAT(r.addresses("a.test"), ElementsAre("10.0.0.1"));
}

TEST(Resolver, reasons_of_answers_that_say_no) {
  const auto reason = [](std::uint8_t rcode) {
    const ScriptedDns server([=](const DnsQuestion&) { return Answers{{.rcode = rcode}}; });
    Resolving r(server.server());
    const Reply reply = r.resolve("a.test");
    return std::string(failure_name(reply.error().failure)) + ": " + reply.error().detail;
  };
  EXPECT_EQ(reason(2), "servfail: name server answered SERVFAIL");
  EXPECT_EQ(reason(3), "nxdomain: no such name");
  EXPECT_EQ(reason(4), "servfail: name server answered NOTIMP");
  EXPECT_EQ(reason(5), "servfail: name server answered REFUSED");
  EXPECT_EQ(reason(0), "nxdomain: no address records");
}

TEST(Resolver, DNS_5_the_order_of_the_server_is_kept_and_repetitions_are_not) {
  const ScriptedDns server([](const DnsQuestion& q) -> Answers {
    if (q.type == kTypeA) {
      return {{.records = {{q.name, kTypeA, 60, "10.0.0.9"},
                           {q.name, kTypeA, 60, "10.0.0.1"},
                           {q.name, kTypeA, 60, "10.0.0.9"},
                           {q.name, kTypeA, 60, "127.0.0.1"}}}};
    }
    return {{.records = {{q.name, kTypeAaaa, 60, "fd00::9"}, {q.name, kTypeAaaa, 60, "fd00::1"}}}};
  });
  Resolving r(server.server());
  EXPECT_THAT(r.addresses("a.test"),
              ElementsAre("10.0.0.9", "10.0.0.1", "127.0.0.1", "fd00::9", "fd00::1"));
}

TEST(Resolver, DNS_2_answers_to_other_questions_are_not_believed) {
  const ScriptedDns server([](const DnsQuestion& q) -> Answers {
    if (q.type != kTypeA) return {{}};
    const DnsRecord lie{q.name, kTypeA, 60, "10.66.66.66"};
    return {
        {.records = {lie}, .wrong_id = true},
        {.records = {{"other.test", kTypeA, 60, "10.66.66.66"}}, .asked_name = "other.test"},
        {.records = {{"other.test", kTypeA, 60, "10.66.66.66"}, {q.name, kTypeA, 60, "10.0.0.1"}}}};
  });
  Resolving r(server.server());
  EXPECT_THAT(r.addresses("a.test"), ElementsAre("10.0.0.1"));
}

TEST(Resolver, DNS_4_ttl_of_an_alias_chain) {
  const ScriptedDns server([](const DnsQuestion& q) -> Answers {
    const DnsRecord alias{q.name, kTypeCname, 90, "b.test"};
    const DnsRecord second{"b.test", kTypeCname, 50, "c.test"};
    if (q.type != kTypeA) return {{.records = {alias, second}}};
    return {{.records = {alias, second, {"c.test", kTypeA, 70, "10.0.0.1"}}}};
  });
  Resolving r(server.server());
  const Reply reply = r.resolve("a.test");
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->addresses->fresh_until, r.clock.steady_now() + 50s);
  EXPECT_THAT(r.addresses("a.test"), ElementsAre("10.0.0.1"));
}

TEST(Resolver, DNS_4_a_ttl_with_its_top_bit_set_counts_as_zero) {
  const ScriptedDns server(always("10.0.0.1", 0x80000001));
  Resolving r(server.server());
  EXPECT_EQ(r.resolve("a.test").value().addresses->fresh_until, r.clock.steady_now() + 5s);
}

TEST(Resolver, DNS_2_a_truncated_answer_is_fetched_by_tcp) {
  const ScriptedDns server([](const DnsQuestion& q) -> Answers {
    if (!q.tcp) return {{.truncated = true}};
    DnsAnswer answer;
    for (int i = 1; i < 100; ++i) {
      const auto number = std::to_string(i);
      answer.records.push_back(q.type == kTypeA
                                   ? DnsRecord{q.name, kTypeA, 60, "10.0.0." + number}
                                   : DnsRecord{q.name, kTypeAaaa, 60, "fd::" + number});
    }
    return {answer};
  });
  Resolving r(server.server());
  const Reply reply = r.resolve("a.test");
  ASSERT_TRUE(reply.has_value()) << reply.error().detail;
  EXPECT_EQ(reply->addresses->v4.size(), 99U);
  EXPECT_EQ(reply->addresses->v6.size(), 99U);
}

TEST(Resolver, DNS_2_the_hosts_file_counts) {
  Resolving r(ResolverOptions{});
  const Reply reply = r.resolve("localhost");
  ASSERT_TRUE(reply.has_value()) << reply.error().detail;
  for (const auto& address : dial_order(*reply->addresses, false)) {
    EXPECT_TRUE(address.is_loopback()) << address.text();
  }
  EXPECT_EQ(reply->addresses->fresh_until, r.clock.steady_now() + 5s) << "the floor";
}

TEST(Resolver, DNS_2_name_servers_and_search_list_of_resolv_conf_and_changes_of_it) {
  const ScriptedDns first([](const DnsQuestion& q) {
    return q.name == "web.one.test" ? always("10.0.0.1")(q) : Answers{{.rcode = 3}};
  });
  // Another address of loopback, the same port.
  const ScriptedDns second(
      [](const DnsQuestion& q) {
        return q.name == "web.two.test" ? always("10.0.0.2")(q) : Answers{{.rcode = 3}};
      },
      "127.0.0.2", first.port());
  const portunus::test::TempDir dir;
  const auto conf = dir / "resolv.conf";
  portunus::test::write_file(conf, "search none.test one.test\nnameserver 127.0.0.1\n");
  Resolving r({.resolv_conf = conf.string(), .resolv_conf_port = first.port()});
  EXPECT_THAT(r.addresses("web"), ElementsAre("10.0.0.1"));

  portunus::test::write_file(conf, "search two.test\nnameserver 127.0.0.2\n");
  r.clock.advance(60s);
  EXPECT_THAT(r.addresses("web"), ElementsAre("10.0.0.2"));
}

TEST(Resolver, DNS_2_an_absent_resolv_conf_is_a_failure_and_no_more) {
  // As the C library does, c-ares then asks this machine; nothing listens on that port.
  Resolving r({.resolv_conf = "/nonexistent/resolv.conf", .resolv_conf_port = 1});
  const Reply reply = r.resolve("a.test");
  EXPECT_EQ(reply.error().failure, Failure::other);
  EXPECT_FALSE(reply.error().of_this_host);
}

TEST(Resolver, DNS_7_many_who_ask_at_once_cause_one_lookup) {
  const ScriptedDns server(always("10.0.0.1"));
  Resolving r(server.server());
  std::vector<Resolving::Result> results;
  for (int i = 0; i < 200; ++i) results.push_back(r.begin("a.test"));
  r.io.run_until([&] {
    return std::ranges::all_of(results, [](const auto& result) { return result->has_value(); });
  });
  EXPECT_EQ(count(server, "a.test", kTypeA), 1U);
  EXPECT_EQ(count(server, "a.test", kTypeAaaa), 1U);
  EXPECT_EQ(std::ranges::count_if(results,
                                  [](const auto& result) {
                                    return (*result)->value().source == Answer::Source::lookup;
                                  }),
            1);
}

TEST(Resolver, DNS_6_the_sixty_fifth_name_is_refused_at_once) {
  const ScriptedDns server(silence);
  Resolving r(server.server());
  std::vector<Resolving::Result> results;
  for (int i = 0; i < 64; ++i) results.push_back(r.begin("n" + std::to_string(i) + ".test"));
  const auto before = real_now();
  EXPECT_EQ(r.resolve("more.test").error().failure, Failure::resolver_overloaded);
  EXPECT_LT(real_now() - before, 2s) << "not after a lookup";
  EXPECT_TRUE(
      std::ranges::none_of(results, [](const auto& result) { return result->has_value(); }));
  EXPECT_EQ(count(server, "more.test", kTypeA), 0U);
}

TEST(Resolver, FO_5_a_lookup_without_a_descriptor_says_so_and_the_next_one_is_made_at_once) {
  const ScriptedDns server(always("10.0.0.1"));
  Resolving r(server.server());
  {
    const FewDescriptors none(0);
    const Reply reply = r.resolve("a.test");
    EXPECT_EQ(reply.error().failure, Failure::other);
    EXPECT_EQ(reply.error().detail, "Too many open files");
    EXPECT_TRUE(reply.error().of_this_host);
  }
  EXPECT_THAT(r.addresses("a.test"), ElementsAre("10.0.0.1"));
}

TEST(Resolver, a_reply_is_a_post_to_the_executor_that_was_named) {
  const ScriptedDns server(always("10.0.0.1"));
  Resolving r(server.server());
  r.resolve("a.test");
  boost::asio::io_context asker(1);
  bool answered = false;
  r.resolver->resolve("a.test", asker.get_executor(), [&](const Reply&) { answered = true; });
  EXPECT_FALSE(answered) << "not from within resolve()";
  r.io.run_until([&] {
    asker.poll();
    return answered || asker.stopped();
  });
  EXPECT_TRUE(answered) << "the asker has work until it has its reply";
}

TEST(Resolver, an_ended_lookup_leaves_no_descriptor_open) {
  const ScriptedDns server(always("10.0.0.1", 0));
  const ScriptedDns silent(silence);
  Resolving r(silent.server() + "," + server.server());
  r.resolve("a.test");
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 3; ++i) {
    r.clock.advance(5s);
    EXPECT_EQ(r.resolve("a.test")->source, Answer::Source::lookup);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Resolver, stop_answers_what_is_under_way_and_lets_the_context_end) {
  const ScriptedDns server(silence);
  boost::asio::io_context io(1);
  Resolver resolver(io, {.servers = server.server()});
  std::vector<Failure> failures;
  const auto note = [&](const Reply& reply) { failures.push_back(reply.error().failure); };
  resolver.resolve("a.test", io.get_executor(), note);
  resolver.resolve("b.test", io.get_executor(), note);
  io.run_for(50ms);
  EXPECT_TRUE(failures.empty());
  EXPECT_FALSE(io.stopped());

  resolver.stop();
  resolver.resolve("c.test", io.get_executor(), note);
  resolver.stop();
  const auto before = real_now();
  io.run();
  EXPECT_LT(real_now() - before, 2s) << "no lookup is waited for";
  EXPECT_THAT(failures, ElementsAre(Failure::other, Failure::other, Failure::other));
}

TEST(Resolver, DNS_3_every_thread_may_ask_and_each_question_is_answered_once_across_a_stop) {
  const ScriptedDns server(always("10.0.0.1"));
  boost::asio::io_context home(1);
  Resolver resolver(home, {.servers = server.server()});
  std::thread home_thread([&] { home.run(); });

  constexpr unsigned kThreads = 4;
  std::atomic<unsigned> asked = 0;
  std::atomic<unsigned> answered = 0;
  std::atomic<unsigned> served = 0;
  std::atomic<bool> enough = false;
  std::vector<std::thread> askers;
  for (unsigned t = 0; t < kThreads; ++t) {
    askers.emplace_back([&, t] {
      boost::asio::io_context io(1);
      for (unsigned i = 0; !enough || i < 50; ++i) {
        ++asked;
        resolver.resolve("n" + std::to_string((i + t) % 3) + ".test", io.get_executor(),
                         [&](const Reply& reply) {
                           ++answered;
                           if (reply) ++served;
                         });
        io.restart();
        i % 8 == 0 ? io.run() : io.poll();
      }
      io.restart();
      io.run();
    });
  }
  while (served < 500) std::this_thread::yield();
  boost::asio::post(home, [&] { resolver.stop(); });
  home_thread.join();
  enough = true;
  for (auto& asker : askers) asker.join();
  EXPECT_EQ(answered, asked);
}

}  // namespace
}  // namespace portunus::dataplane::dns
