// Portal contract 11.1 and 6.5: how a target is dialled.

#include "portal/relay/dialer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/async/gate.hpp"
#include "portal/protocol/errc.hpp"
#include "portal/relay/errc.hpp"
#include "tests/portal/support/stream_pair.hpp"
#include "tests/support/scripted_dns.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::portal::relay {
namespace {

using namespace std::chrono_literals;
using portunus::test::Acceptor;
using portunus::test::bytes_of;
using portunus::test::received_now;
using portunus::test::TestIo;

const net::IpAddress kClient = *net::IpAddress::parse("192.0.2.1");

struct Fixture {
  explicit Fixture(std::optional<std::string> from = {}, std::string dns = "")
      : resolver(io.context(), {.servers = std::move(dns), .limits = lookup_limits(settings)}) {
    if (from) settings.bind = net::IpAddress::parse(*from);
  }
  ~Fixture() { resolver.stop(); }

  Result<std::unique_ptr<TcpStream>> tcp(const std::string& target) {
    return io.run(Dialer(resolver, settings).dial_tcp(target, kClient));
  }
  Result<std::unique_ptr<UdpTarget>> udp(const std::string& target) {
    return io.run(Dialer(resolver, settings).dial_udp(target, kClient));
  }

  TestIo io;
  DialSettings settings{.bind = {}, .tcp_timeout = 5s, .udp_timeout = 5s};
  dataplane::dns::Resolver resolver;
};

std::string local_target(std::uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

/// 127.0.0.1 and ::1 for every name.
std::vector<portunus::test::DnsAnswer> both_loopbacks(const portunus::test::DnsQuestion& question) {
  const std::string address = question.type == portunus::test::kTypeA ? "127.0.0.1" : "::1";
  return {{.records = {{question.name, question.type, 60, address}}}};
}

TEST(PortalDialer, Section11_1_ALiteralIsDialledAtOnce) {
  Fixture f;
  Acceptor v4;
  Acceptor v6(16, true);
  const auto four = f.tcp(local_target(v4.port()));
  ASSERT_TRUE(four);
  EXPECT_EQ((*four)->peer_endpoint()->text(), local_target(v4.port()));
  const auto six = f.tcp("[::1]:" + std::to_string(v6.port()));
  ASSERT_TRUE(six);
  EXPECT_EQ((*six)->peer_endpoint()->port(), v6.port());
}

TEST(PortalDialer, Section11_1_TheAddressesOfANameAreTriedInOrder) {
  const portunus::test::ScriptedDns dns(both_loopbacks);
  Fixture f(std::nullopt, dns.server());
  Acceptor v6(16, true);
  const auto dialled = f.tcp("both.test:" + std::to_string(v6.port()));
  ASSERT_TRUE(dialled) << "127.0.0.1 refuses, ::1 is next";
  EXPECT_TRUE((*dialled)->peer_endpoint()->address().is_v6());
}

TEST(PortalDialer, Section11_1_ARefusalIsTheSystemsError) {
  Fixture f;
  const auto dialled = f.tcp(local_target(portunus::test::refused_port()));
  ASSERT_FALSE(dialled);
  EXPECT_EQ(dialled.error().code, std::errc::connection_refused);
}

TEST(PortalDialer, Section6_5_WhatPassesTheCodecMayFailHere) {
  Fixture f;
  for (const char* target :
       {":443", "h:abc", "127.0.0.1:65536", "127.0.0.1:-1", "[::1:2", "[x]:1"}) {
    EXPECT_FALSE(f.tcp(target)) << target;
    EXPECT_FALSE(f.udp(target)) << target;
  }
}

TEST(PortalDialer, Section11_1_ANameWithForeignBytesIsNotAsked) {
  Fixture f;
  EXPECT_FALSE(f.tcp(std::string("local\0host:80", 13)));
  EXPECT_FALSE(f.tcp("local host:80"));
  EXPECT_FALSE(f.tcp("caf\xC3\xA9.test:80"));
}

TEST(PortalDialer, Section11_1_DialIsBoundFirst) {
  Fixture f("127.0.0.2");
  Acceptor acceptor;
  const auto dialled = f.tcp(local_target(acceptor.port()));
  ASSERT_TRUE(dialled);
  EXPECT_EQ((*dialled)->local_endpoint()->address().text(), "127.0.0.2");
  const auto flow = f.udp(local_target(acceptor.port()));
  ASSERT_TRUE(flow);
  EXPECT_EQ((*flow)->local_endpoint().address().text(), "127.0.0.2");
}

TEST(PortalDialer, Section11_1_OnlyTheFamilyOfDialIsUsed) {
  const portunus::test::ScriptedDns dns(both_loopbacks);
  Fixture f("127.0.0.1", dns.server());
  Acceptor v6(16, true);
  EXPECT_TRUE(f.tcp("[::1]:" + std::to_string(v6.port())).error() == Errc::no_address);
  EXPECT_TRUE(f.udp("[::1]:" + std::to_string(v6.port())).error() == Errc::no_address);
  const auto dialled = f.tcp("both.test:" + std::to_string(v6.port()));
  ASSERT_FALSE(dialled);
  EXPECT_EQ(dialled.error().code, std::errc::connection_refused) << "only 127.0.0.1 was tried";
}

TEST(PortalDialer, Section11_1_AnAddressThatIsNotOursCannotBeBound) {
  Fixture f("192.0.2.77");
  Acceptor acceptor;
  const auto dialled = f.tcp(local_target(acceptor.port()));
  ASSERT_FALSE(dialled);
  EXPECT_EQ(dialled.error().code, std::errc::address_not_available);
}

TEST(PortalDialer, Section11_1_ASilentTargetRunsIntoTheTimeOut) {
  Fixture f;
  f.settings.tcp_timeout = 100ms;
  portunus::test::SilentTarget silent;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(f.tcp(local_target(silent.port())).error() == Errc::dial_timeout);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 100ms);
}

TEST(PortalDialer, Section11_1_TheResolutionSharesTheTimeOut) {
  // A name server that never answers.
  const net::UniqueFd silent(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage address;
  const socklen_t size = net::Endpoint(*net::IpAddress::parse("127.0.0.1"), 0).to_sockaddr(address);
  ASSERT_EQ(::bind(silent.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  socklen_t got = sizeof address;
  ::getsockname(silent.get(), reinterpret_cast<sockaddr*>(&address), &got);
  Fixture f(std::nullopt, net::Endpoint::from_sockaddr(address)->text());
  f.settings.tcp_timeout = f.settings.udp_timeout = 100ms;
  EXPECT_TRUE(f.tcp("slow.test:80").error() == Errc::dial_timeout);
  EXPECT_TRUE(f.udp("slow.test:80").error() == Errc::dial_timeout);
}

TEST(PortalDialer, Section11_1_ALookupHasNoTimeOutBeforeTheDials) {
  const DialSettings settings{.bind = {}, .tcp_timeout = 15s, .udp_timeout = 20s};
  EXPECT_EQ(lookup_limits(settings).attempt, 20s);
}

TEST(PortalDialer, Section11_1_AClientHas256LookupsAndTheOthersHaveTheirs) {
  const portunus::test::ScriptedDns dns([](const portunus::test::DnsQuestion& question) {
    return question.name == "both.test" ? both_loopbacks(question)
                                        : std::vector<portunus::test::DnsAnswer>();
  });
  Fixture f(std::nullopt, dns.server());
  const Dialer dialer(f.resolver, f.settings);
  const std::string port = ":" + std::to_string(portunus::test::refused_port());
  std::vector<std::shared_ptr<std::optional<Result<std::unique_ptr<TcpStream>>>>> dials;
  for (int i = 0; i < 256; ++i) {
    dials.push_back(
        f.io.start(dialer.dial_tcp("silent" + std::to_string(i) + ".test" + port, kClient)));
  }
  f.io.poll();
  const auto begin = std::chrono::steady_clock::now();
  const auto refused = f.io.run(dialer.dial_tcp("both.test" + port, kClient));
  EXPECT_TRUE(refused.error() == Errc::lookup_failed);
  EXPECT_EQ(refused.error().detail, "256 lookups are under way");
  // Somebody else, and afterwards whoever asks for what is known.
  const net::IpAddress other = *net::IpAddress::parse("192.0.2.2");
  const auto looked_up = f.io.run(dialer.dial_tcp("both.test" + port, other));
  EXPECT_EQ(looked_up.error().code, std::errc::connection_refused) << looked_up.error().text();
  const auto known = f.io.run(dialer.dial_tcp("both.test" + port, kClient));
  EXPECT_EQ(known.error().code, std::errc::connection_refused) << known.error().text();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s) << "nobody waited for the silent ones";
  EXPECT_TRUE(std::ranges::none_of(dials, [](const auto& dial) { return dial->has_value(); }));
}

TEST(PortalDialer, Section17_CancellationEndsADial) {
  Fixture f;
  portunus::test::SilentTarget silent;
  async::Gate gate(f.io.executor());
  std::optional<Error> error;
  const auto task = [](Fixture& fixture, std::string target,
                       std::optional<Error>& out) -> async::Task<void> {
    const Dialer dialer(fixture.resolver, fixture.settings);
    const auto dialled = co_await dialer.dial_tcp(std::move(target), kClient);
    if (!dialled) out = dialled.error();
  };
  gate.spawn(task(f, local_target(silent.port()), error));
  f.io.poll();
  gate.request_stop();
  f.io.run_until([&] { return gate.idle(); });
  ASSERT_TRUE(error);
  EXPECT_TRUE(*error == Errc::aborted);
}

}  // namespace
}  // namespace portunus::portal::relay
