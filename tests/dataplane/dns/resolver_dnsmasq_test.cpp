// The resolver against a real name server that changes its answers, dies and comes back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "dataplane/dns/resolver.hpp"
#include "tests/dataplane/dns/resolving.hpp"
#include "tests/support/dnsmasq.hpp"

namespace portunus::dataplane::dns {
namespace {

using namespace std::chrono_literals;
using test::Resolving;
using testing::ElementsAre;
using testing::UnorderedElementsAre;
using Source = Answer::Source;

TEST(ResolverDnsmasq, DNS_2_both_families_are_asked) {
  portunus::test::Dnsmasq server;
  server.set_hosts("10.1.0.1 both.test\nfd00::1 both.test\n10.1.0.2 four.test\nfd00::2 six.test");
  server.start();
  Resolving r(server.server());
  EXPECT_THAT(r.addresses("both.test"), ElementsAre("10.1.0.1", "fd00::1"));
  EXPECT_THAT(r.addresses("four.test"), ElementsAre("10.1.0.2"));
  EXPECT_THAT(r.addresses("six.test"), ElementsAre("fd00::2"));
}

TEST(ResolverDnsmasq, DNS_2_a_changed_answer_is_seen_when_the_ttl_has_passed) {
  portunus::test::Dnsmasq server({"--local-ttl=20"});
  server.set_hosts("10.1.0.1 a.test");
  server.start();
  Resolving r(server.server());
  const Reply first = r.resolve("a.test");
  EXPECT_EQ(first->source, Source::lookup);
  EXPECT_EQ(first->addresses->fresh_until, r.clock.steady_now() + 20s);

  server.set_hosts("10.1.0.2 a.test");
  r.clock.advance(19s);
  EXPECT_EQ(r.resolve("a.test")->source, Source::cache);
  EXPECT_THAT(r.addresses("a.test"), ElementsAre("10.1.0.1"));
  r.clock.advance(1s);
  EXPECT_THAT(r.addresses("a.test"), ElementsAre("10.1.0.2"));
}

TEST(ResolverDnsmasq, DNS_4_the_smallest_ttl_counts_aliases_included) {
  portunus::test::Dnsmasq server({"--host-record=a.test,10.1.0.1,120",
                                  "--cname=alias.test,a.test,40", "--cname=slow.test,a.test,200",
                                  "--host-record=z.test,10.1.0.1,0",
                                  "--host-record=long.test,10.1.0.1,4000"});
  server.start();
  Resolving r(server.server());
  const auto lifetime = [&](const std::string& name) {
    return r.resolve(name).value().addresses->fresh_until - r.clock.steady_now();
  };
  EXPECT_EQ(lifetime("a.test"), 120s);
  EXPECT_EQ(lifetime("alias.test"), 40s);
  EXPECT_EQ(lifetime("slow.test"), 120s);
  EXPECT_EQ(lifetime("z.test"), 5s);
  EXPECT_EQ(lifetime("long.test"), 300s);
}

TEST(ResolverDnsmasq, no_such_name_and_no_records_are_both_nxdomain) {
  portunus::test::Dnsmasq server({"--txt-record=text.test,hello", "--cname=alias.test,text.test"});
  server.start();
  Resolving r(server.server());
  const Reply missing = r.resolve("missing.test");
  EXPECT_EQ(missing.error().failure, Failure::nxdomain);
  EXPECT_EQ(missing.error().detail, "no such name");
  const Reply empty = r.resolve("text.test");
  EXPECT_EQ(empty.error().failure, Failure::nxdomain);
  EXPECT_EQ(empty.error().detail, "no address records");
}

TEST(ResolverDnsmasq, a_refusing_server_is_servfail) {
  portunus::test::Dnsmasq server;
  server.start();
  Resolving r(server.server());
  const Reply foreign = r.resolve("example.org");  // not its own, and it has nobody to ask
  EXPECT_EQ(foreign.error().failure, Failure::servfail);
  EXPECT_EQ(foreign.error().detail, "name server answered REFUSED");
}

TEST(ResolverDnsmasq, DNS_10_death_and_return_of_the_server) {
  portunus::test::Dnsmasq server({"--local-ttl=20"});
  server.set_hosts("10.1.0.1 a.test");
  server.start();
  Resolving r(server.server());
  EXPECT_THAT(r.addresses("a.test"), ElementsAre("10.1.0.1"));
  server.stop();
  EXPECT_EQ(r.resolve("a.test")->source, Source::cache) << "fresh answers outlive the server";

  r.clock.advance(20s);
  const Reply stale = r.resolve("a.test");
  ASSERT_TRUE(stale.has_value());
  EXPECT_EQ(stale->source, Source::stale);
  EXPECT_EQ(stale->addresses->v4.at(0).text(), "10.1.0.1");
  EXPECT_EQ(r.resolve("new.test").error().failure, Failure::other) << "nobody listens there";

  r.clock.advance(30s);
  EXPECT_EQ(r.resolve("a.test").error().failure, Failure::other) << "the grace is over";
  server.set_hosts("10.1.0.2 a.test");
  server.start();
  EXPECT_EQ(r.resolve("a.test").error().failure, Failure::other) << "remembered for three seconds";
  r.clock.advance(3s);
  const Reply back = r.resolve("a.test");
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->source, Source::lookup);
  EXPECT_EQ(back->addresses->v4.at(0).text(), "10.1.0.2");
}

TEST(ResolverDnsmasq, DNS_2_an_answer_too_long_for_a_datagram_comes_by_tcp) {
  portunus::test::Dnsmasq server;
  std::string hosts;
  for (int i = 1; i <= 90; ++i) hosts += "10.1.0." + std::to_string(i) + " many.test\n";
  for (int i = 1; i <= 60; ++i) hosts += "fd00::" + std::to_string(i) + " many.test\n";
  server.set_hosts(hosts);
  server.start();
  Resolving r(server.server());
  const Reply reply = r.resolve("many.test");
  ASSERT_TRUE(reply.has_value()) << reply.error().detail;
  EXPECT_EQ(reply->addresses->v4.size(), 90U);
  EXPECT_EQ(reply->addresses->v6.size(), 60U);
}

}  // namespace
}  // namespace portunus::dataplane::dns
