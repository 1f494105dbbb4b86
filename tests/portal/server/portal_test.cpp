// Portal contract 2.1, 3, 4, 8, 16 and 17: start, listeners, TLS rules, certificates, shutdown.

#include "portal/server/portal.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "common/crypto/certificate.hpp"
#include "portal/server/checkpoint.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/portal/support/running_portal.hpp"
#include "tests/portal/support/tls_client.hpp"
#include "tests/support/files.hpp"

namespace portunus::portal::server {
namespace {

using namespace std::chrono_literals;
using portunus::test::Acceptor;
using portunus::test::count_descriptors;
using portunus::test::eventually;
using portunus::test::RunningPortal;
using portunus::test::Server;
using portunus::test::Socket;
using portunus::test::TempDir;
using portunus::test::TlsClient;
using portunus::test::write_file;
using End = TlsClient::End;
using Clock = std::chrono::steady_clock;

TEST(PortalCheckpoint, Section4_TheRecordsText) {
  EXPECT_EQ(checkpoint_text({.pool = 1,
                             .tcps = 2,
                             .udps = 3,
                             .tcp_rx = 18446744073709551615U,
                             .tcp_tx = 5,
                             .udp_rx = 6,
                             .udp_tx = 7}),
            "CHECK_POINT|MODE=0|PING=0ms|POOL=1|TCPS=2|UDPS=3|TCPRX=18446744073709551615|TCPTX=5|"
            "UDPRX=6|UDPTX=7");
}

TEST(PortalStart, Section4_StartRecordCheckpointStoppedRecordInThatOrder) {
  RunningPortal portal;
  portal.start();
  portal.stop();
  const std::string log = portal.log();
  const auto start = log.find("portal::run: starting: portal://127.0.0.1:0?tls=1&spec=auto");
  const auto checkpoint = log.find("EVENT");
  const auto stopped = log.find("portal::run: portal shutdown complete\n");
  ASSERT_NE(start, std::string::npos);
  ASSERT_NE(stopped, std::string::npos);
  EXPECT_LT(start, checkpoint);
  EXPECT_LT(checkpoint, stopped);
  EXPECT_EQ(stopped + 38, log.size()) << "it is the last record";
}

TEST(PortalStart, Section4_CheckpointsComeEveryInterval) {
  RunningPortal portal;
  portal.tuning.report_interval = 50ms;
  const auto begin = Clock::now();
  portal.start();
  EXPECT_TRUE(eventually([&] { return portal.times_logged("CHECK_POINT") >= 5; }));
  EXPECT_GE(Clock::now() - begin, 200ms) << "one at start and four intervals";
}

TEST(PortalListeners, Section8_AnEmptyHostIsBothWildcards) {
  RunningPortal portal;
  portal.config.host.clear();
  portal.config.port = portunus::test::free_port();
  portal.start();
  const auto endpoints = portal.portal().tcp_endpoints();
  ASSERT_EQ(endpoints.size(), 2U);
  EXPECT_EQ(endpoints[0].text(), "0.0.0.0:" + std::to_string(portal.config.port));
  EXPECT_EQ(endpoints[1].text(), "[::]:" + std::to_string(portal.config.port));
  EXPECT_TRUE(Socket::connect_v4(portal.config.port).valid());
  EXPECT_TRUE(Socket::connect_v6(portal.config.port).valid());
}

TEST(PortalListeners, Section2_PortZeroIsAskedForPerSocket) {
  RunningPortal portal;
  portal.config.host.clear();
  portal.start();
  const auto endpoints = portal.portal().tcp_endpoints();
  ASSERT_EQ(endpoints.size(), 2U);
  EXPECT_NE(endpoints[0].port(), 0);
  EXPECT_NE(endpoints[1].port(), 0);
}

TEST(PortalListeners, Section8_ALiteralAndANameAreOneAddressEach) {
  for (const char* host : {"::1", "127.0.0.1", "localhost"}) {
    RunningPortal portal;
    portal.config.host = host;
    portal.start();
    EXPECT_EQ(portal.portal().tcp_endpoints().size(), 1U) << host;
  }
  RunningPortal unknown;
  unknown.config.host = "no-such-host.invalid";
  EXPECT_FALSE(unknown.try_start());
}

TEST(PortalListeners, Section19_9_NetBindsExactlyTheChosenTransports) {
  for (const auto net : {config::Net::mix, config::Net::tcp, config::Net::udp}) {
    RunningPortal portal;
    portal.config.net = net;
    portal.start();
    EXPECT_EQ(portal.portal().tcp_endpoints().size(), net == config::Net::udp ? 0U : 1U);
    EXPECT_EQ(portal.portal().udp_endpoints().size(), net == config::Net::tcp ? 0U : 1U);
  }
}

TEST(PortalListeners, Section8_ATakenUdpPortFailsTheStartOfBoth) {
  RunningPortal first;
  first.config.net = config::Net::udp;
  first.start();
  const std::uint16_t port = first.portal().udp_endpoints().front().port();
  RunningPortal second;
  second.config.net = config::Net::mix;
  second.config.port = port;
  EXPECT_FALSE(second.try_start());
  EXPECT_FALSE(Socket::try_connect(port).valid());
}

TEST(PortalListeners, Section8_OneTakenAddressFailsTheStartAndLeavesNothingBound) {
  const std::uint16_t port = portunus::test::free_port();
  const std::size_t before = count_descriptors("socket:");
  {
    const Acceptor taken(16, true, port);  // ::1 collides with the IPv6 wildcard
    RunningPortal portal;
    portal.config.host.clear();
    portal.config.port = port;
    const Result<> started = portal.try_start();
    ASSERT_FALSE(started);
    EXPECT_NE(started.error().text().find("[::]"), std::string::npos) << started.error().text();
    EXPECT_FALSE(portal.logged("starting"));
    EXPECT_FALSE(portal.logged("CHECK_POINT"));
    EXPECT_FALSE(Socket::try_connect(port).valid()) << "0.0.0.0 is free again";
  }
  EXPECT_EQ(count_descriptors("socket:"), before);
}

TEST(PortalListeners, Section8_AFailingAcceptIsLoggedAndRetried) {
  RunningPortal portal;
  portal.start();
  Server echo;
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
  sockaddr_storage address;
  const socklen_t size =
      net::Endpoint(*net::IpAddress::parse("127.0.0.1"), portal.port()).to_sockaddr(address);
  Socket client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int lowest = ::dup(0);
  ::close(lowest);
  rlimit none = old;
  none.rlim_cur = static_cast<rlim_t>(lowest);
  const auto begin = Clock::now();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  ASSERT_EQ(::connect(client.fd(), reinterpret_cast<sockaddr*>(&address), size), 0);
  eventually([] { return false; }, 350ms);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &old), 0);
  EXPECT_TRUE(portal.logged("portal::accept")) << "EMFILE is an error record";
  const std::int64_t tries = portal.times_logged("portal::accept");
  const auto took = Clock::now() - begin;
  EXPECT_LE(tries, 2 + took / 100ms) << "every 100 ms, not all the time";
  TlsClient served(portal.port());
  EXPECT_TRUE(served.handshake());
}

TEST(PortalTls, Section8_AListWithoutTheValueGetsAlert120) {
  RunningPortal portal;
  portal.start();
  TlsClient wrong(portal.port(), {.alpn = std::vector<std::string>{"h2", "http/1.1"}});
  EXPECT_FALSE(wrong.handshake());
  EXPECT_EQ(wrong.alert(), 120);
  TlsClient among(portal.port(), {.alpn = std::vector<std::string>{"h2", "now/1"}});
  EXPECT_TRUE(among.handshake());
  TlsClient none(portal.port(), {.alpn = std::nullopt});
  EXPECT_TRUE(none.handshake()) << "without the extension it is let through to authentication";
}

TEST(PortalTls, Section8_NothingButTls13AndTheThreeGroups) {
  RunningPortal portal;
  portal.start();
  TlsClient old(portal.port(), {.tls12_only = true});
  EXPECT_FALSE(old.handshake());
  EXPECT_EQ(old.alert(), 70);
  for (const char* group : {"X25519", "P-256", "P-384"}) {
    TlsClient client(portal.port(), {.groups = group});
    EXPECT_TRUE(client.handshake()) << group;
  }
  TlsClient other(portal.port(), {.groups = "P-521"});
  EXPECT_FALSE(other.handshake());
}

/// What `openssl s_client` says to a Portal.
std::string s_client(std::uint16_t port, const std::string& options) {
  const std::string command = "openssl s_client -connect 127.0.0.1:" + std::to_string(port) + " " +
                              options + " </dev/null 2>&1";
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  char part[4096];
  while (pipe != nullptr && std::fgets(part, sizeof part, pipe) != nullptr) out += part;
  if (pipe != nullptr) ::pclose(pipe);
  return out;
}

TEST(PortalTls, Section8_OpensslAgrees) {
  RunningPortal portal;
  portal.config.alpn = "edge/2";
  portal.start();
  const std::string good = s_client(portal.port(), "-alpn edge/2 -servername anything.test");
  EXPECT_NE(good.find("New, TLSv1.3"), std::string::npos) << good;
  EXPECT_NE(good.find("ALPN protocol: edge/2"), std::string::npos) << good;
  EXPECT_EQ(good.find("New Session Ticket"), std::string::npos);
  for (const char* suite :
       {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
    const std::string with = s_client(portal.port(), "-ciphersuites " + std::string(suite));
    EXPECT_NE(with.find("Cipher is " + std::string(suite)), std::string::npos) << with;
  }
  const std::string refused = s_client(portal.port(), "-ciphersuites TLS_AES_128_CCM_SHA256");
  EXPECT_NE(refused.find("Cipher is (NONE)"), std::string::npos) << refused;
}

TEST(PortalCertificates, Section16_SelfSignedIsForLocalhostAlone) {
  RunningPortal portal;
  portal.start();
  TlsClient client(portal.port());
  ASSERT_TRUE(client.handshake());
  const auto names = crypto::certificate_names(client.certificate());
  ASSERT_TRUE(names);
  EXPECT_EQ(names->dns, std::vector<std::string>{"localhost"});
  EXPECT_TRUE(names->addresses.empty());
}

std::string presented(RunningPortal& portal) {
  TlsClient client(portal.port());
  return client.handshake() ? *crypto::certificate_fingerprint(client.certificate()) : "";
}

TEST(PortalCertificates, Section16_FilesAreReadAgainAndABrokenOneChangesNothing) {
  TempDir dir;
  const auto write_pair = [&dir] {
    const auto pair =
        *crypto::generate_self_signed_for_name("portal.test", SystemClock::instance().now());
    write_file(dir / "crt", pair.certificate_pem);
    write_file(dir / "key", pair.key_pem);
    return *crypto::certificate_fingerprint(pair.certificate_pem);
  };
  RunningPortal portal;
  portal.config.tls = config::TlsMode::pem_files;
  portal.config.certificate_path = dir / "crt";
  portal.config.key_path = dir / "key";
  portal.tuning.reload_interval = 0s;
  const std::string first = write_pair();
  portal.start();
  EXPECT_EQ(presented(portal), first);
  const std::string second = write_pair();
  EXPECT_EQ(presented(portal), second) << "this ClientHello is answered with the new pair";
  write_file(dir / "key", "no key");
  EXPECT_EQ(presented(portal), second);
  EXPECT_TRUE(portal.logged("reload failed"));
  const std::string third = write_pair();
  EXPECT_EQ(presented(portal), third);
}

TEST(PortalCertificates, Section2_UnreadableFilesFailTheStart) {
  RunningPortal portal;
  portal.config.tls = config::TlsMode::pem_files;
  EXPECT_FALSE(portal.try_start());
}

TEST(PortalShutdown, Section17_UnderLoadAllEndsAndEveryDescriptorComesBack) {
  const std::size_t before = count_descriptors();
  {
    Server echo;
    Acceptor target;
    portunus::test::SilentTarget silent;
    RunningPortal portal;
    portal.tuning.handshake_timeout = 30s;
    portal.start();
    std::vector<TlsClient> clients;
    std::vector<Socket> accepted;
    const auto add = [&](const std::string& bytes) {
      clients.emplace_back(portal.port());
      ASSERT_TRUE(clients.back().handshake());
      if (!bytes.empty()) ASSERT_TRUE(clients.back().send(bytes));
    };
    for (int i = 0; i < 5; ++i) {
      add(portal.opening(echo.port()) + "busy");  // relays
      add(portal.opening(target.port()));         // idle relays
      accepted.push_back(target.accept());
      add(portal.auth_frame());            // the pool
      add("");                             // no authentication yet
      add(std::string(400, 'x'));          // a failed one, waiting
      add(portal.opening(silent.port()));  // dialling
    }
    const Socket no_handshake = Socket::connect_v4(portal.port());
    EXPECT_TRUE(eventually([&] { return portal.counter("TCPS") == 15; }));
    const auto begin = Clock::now();
    portal.stop();
    EXPECT_LT(Clock::now() - begin, 4s) << "well inside of the window";
    for (TlsClient& client : clients) client.receive_all();
    for (Socket& socket : accepted) socket.receive_all();
    EXPECT_TRUE(portal.logged("portal shutdown complete"));
  }
  EXPECT_TRUE(eventually([&] { return count_descriptors() == before; }))
      << count_descriptors() << " of " << before;
}

TEST(PortalShutdown, Section17_WhileConnectionsPourIn) {
  for (int round = 0; round < 5; ++round) {
    RunningPortal portal;
    portal.start();
    const std::uint16_t port = portal.port();
    std::atomic<bool> over{false};
    std::jthread flood([&over, port] {
      while (!over) {
        Socket socket = Socket::try_connect(port);
        if (socket.valid()) socket.send("\x16\x03\x01");
      }
    });
    eventually([] { return false; }, 20ms);
    const auto begin = Clock::now();
    portal.stop();
    EXPECT_LT(Clock::now() - begin, 4s);
    over = true;
  }
}

TEST(PortalShutdown, Section15_TheLongestDurationsThatCanBeWrittenServeAndStop) {
  Server echo;
  RunningPortal portal;
  portal.tuning = portunus::test::longest_tuning();
  portal.start();
  TlsClient relayed(portal.port());
  ASSERT_TRUE(relayed.handshake());
  ASSERT_TRUE(relayed.send(portal.opening(echo.port()) + "x"));
  EXPECT_EQ(relayed.receive(1), "x");
  // Each waits for something that is as long away.
  TlsClient half(portal.port());
  ASSERT_TRUE(half.handshake());
  ASSERT_TRUE(half.send(portal.opening(echo.port())));
  half.send_close_notify();
  TlsClient silent(portal.port());
  ASSERT_TRUE(silent.handshake());
  const Socket no_handshake = Socket::connect_v4(portal.port());
  const auto begin = Clock::now();
  EXPECT_TRUE(portal.stop());
  EXPECT_LT(Clock::now() - begin, 4s);
}

/// A core's thread that reads from a file server which is gone: nothing of that core ends, not even
/// the accept loop, and nobody may wait for it.
TEST(PortalShutdown, Section17_ACoreThatIsStuckIsLeftBehindAfterTheWindow) {
  Acceptor target;
  portunus::test::CertificateFiles files;
  RunningPortal portal;
  files.use_in(portal);
  portal.options.cores = 1;
  portal.tuning.shutdown_timeout = 200ms;
  portal.start();
  TlsClient relayed(portal.port());
  ASSERT_TRUE(relayed.handshake());
  ASSERT_TRUE(relayed.send(portal.opening(target.port()) + "x"));
  Socket far = target.accept();
  EXPECT_EQ(far.receive(1), "x");
  files.hang();
  TlsClient last(portal.port());
  std::jthread shakes_hands([&last] { last.handshake(); });
  EXPECT_TRUE(eventually([&] { return files.somebody_waits(); }));
  const auto begin = Clock::now();
  EXPECT_FALSE(portal.stop());
  const auto took = Clock::now() - begin;
  EXPECT_GE(took, 200ms);
  EXPECT_LT(took, 200ms + 1500ms + 2s) << "the window, what may follow it, and a slow machine";
  EXPECT_TRUE(portal.logged("left behind"));
  EXPECT_TRUE(portal.logged("portal::run: portal shutdown complete\n"));
  // It ends behind what it was in; all that it worked on is still there.
  files.release();
  EXPECT_TRUE(eventually([] { return portunus::test::count_threads("portal-0") == 0; }));
  ::shutdown(last.socket().fd(), SHUT_RDWR);
}

TEST(PortalShutdown, Section17_AStartThatFailedCanBeDestroyed) {
  RunningPortal portal;
  portal.config.host = "192.0.2.1";
  EXPECT_FALSE(portal.try_start());
  portal.stop();
  EXPECT_FALSE(portal.logged("shutdown complete"));
}

}  // namespace
}  // namespace portunus::portal::server
