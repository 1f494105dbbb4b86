// Portal contract 8, 9, 11 and 18: the TLS stream of both roles, over real sockets.

#include "portal/tls/tls_stream.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "common/async/gate.hpp"
#include "common/crypto/certificate.hpp"
#include "portal/credentials/credential_store.hpp"
#include "portal/relay/errc.hpp"
#include "portal/tls/errc.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/portal/support/stream_pair.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::portal::tls {
namespace {

using namespace std::chrono_literals;
using async::Task;
using portunus::test::bytes_of;
using portunus::test::noise;
using portunus::test::TestIo;
using Tcp = boost::asio::ip::tcp;

Tcp::socket adopt(boost::asio::io_context& context, const portunus::test::Socket& socket) {
  Tcp::socket out(context);
  out.assign(Tcp::v4(), ::dup(socket.fd()));
  return out;
}

credentials::Pair portal_pair() {
  return *credentials::make_self_signed(SystemClock::instance().now());
}

/// Both ends of one connection on one loop.
struct Ends {
  explicit Ends(ClientTlsSettings settings = {.trust = {.kind = ClientTrust::Kind::anything}},
                credentials::Pair pair = portal_pair())
      : store(std::move(pair)),
        server_context(*ServerContext::create(store, "now/1")),
        client_context(*ClientContext::create(std::move(settings))) {
    portunus::test::Acceptor acceptor;
    const auto peer = portunus::test::Socket::connect_v4(acceptor.port());
    const auto accepted = acceptor.accept();
    server = std::make_unique<TlsStream>(adopt(io.context(), accepted), *server_context);
    client = std::make_unique<TlsStream>(adopt(io.context(), peer), *client_context);
  }

  /// The results of the client's and the server's handshake.
  std::pair<Result<>, Result<>> shake_hands() {
    auto mine = io.start(client->handshake());
    auto theirs = io.start(server->handshake());
    io.run_until([&] {
      if (mine->has_value() && !**mine) client->abort();
      return mine->has_value() && theirs->has_value();
    });
    return {**mine, **theirs};
  }
  void secure() {
    const auto [mine, theirs] = shake_hands();
    ASSERT_TRUE(mine) << mine.error().text();
    ASSERT_TRUE(theirs) << theirs.error().text();
  }

  TestIo io;
  credentials::CredentialStore store;
  std::unique_ptr<ServerContext> server_context;
  std::unique_ptr<ClientContext> client_context;
  std::unique_ptr<TlsStream> server;
  std::unique_ptr<TlsStream> client;
};

Task<Result<std::string>> read_text(relay::ByteStream& stream, std::size_t size) {
  std::string text(size, '\0');
  const auto got = co_await relay::read_full(stream, std::as_writable_bytes(std::span(text)));
  if (!got) co_return fail(got.error());
  text.resize(*got);
  co_return text;
}

Task<Result<>> write_text(relay::ByteStream& stream, const std::string& text) {
  co_return co_await stream.write_all(bytes_of(text));
}

TEST(PortalTlsStream, Section8_BothRolesSpeakToEachOther) {
  Ends ends;
  ends.secure();
  ASSERT_TRUE(ends.io.run(write_text(*ends.client, "hello")));
  EXPECT_EQ(*ends.io.run(read_text(*ends.server, 5)), "hello");
  ASSERT_TRUE(ends.io.run(write_text(*ends.server, "world")));
  EXPECT_EQ(*ends.io.run(read_text(*ends.client, 5)), "world");
  EXPECT_EQ(ends.server->peer_endpoint(), ends.client->local_endpoint());
  EXPECT_EQ(ends.server->local_endpoint(), ends.client->peer_endpoint());
}

TEST(PortalTlsStream, Section8_WhatComesBeforeIsNotLostAndAReadTakesAllThatIsThere) {
  Ends ends;
  ends.secure();
  for (const char* part : {"one ", "two ", "three"}) {
    ASSERT_TRUE(ends.io.run(write_text(*ends.client, part)));
  }
  std::string text(100, '\0');
  const auto got = ends.io.run(ends.server->read_some(std::as_writable_bytes(std::span(text))));
  ASSERT_TRUE(got);
  EXPECT_EQ(text.substr(0, *got), "one two three") << "three records, one read";
}

/// A stream that has read all knows it without asking the socket again, and must not sleep through
/// what came between two reads.
TEST(PortalTlsStream, Section8_WhatComesBetweenTwoReadsIsFound) {
  Ends ends;
  ends.secure();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(ends.io.run(write_text(*ends.client, "ping")));
    EXPECT_EQ(*ends.io.run(read_text(*ends.server, 4)), "ping");
    ASSERT_TRUE(ends.io.run(write_text(*ends.client, "more")));
    ends.io.poll();
    EXPECT_EQ(*ends.io.run(read_text(*ends.server, 4)), "more");
  }
  ends.io.run(ends.client->finish());
  ends.io.poll();
  EXPECT_EQ(*ends.io.run(read_text(*ends.server, 1)), "");
}

Task<bool> until_readable(relay::ByteStream& stream) {
  co_await stream.readable();
  co_return true;
}

TEST(PortalTlsStream, Section8_ReadableWaitsForBytesForAnEndAndForAnAbort) {
  Ends ends;
  ends.secure();
  ASSERT_TRUE(ends.io.run(write_text(*ends.client, "ping")));
  EXPECT_EQ(*ends.io.run(read_text(*ends.server, 4)), "ping");
  auto bytes = ends.io.start(until_readable(*ends.server));
  ends.io.poll();
  EXPECT_FALSE(bytes->has_value());
  ASSERT_TRUE(ends.io.run(write_text(*ends.client, "two parts")));
  ends.io.run_until([&] { return bytes->has_value(); });
  // What a smaller read leaves over is in no socket any more.
  EXPECT_EQ(*ends.io.run(read_text(*ends.server, 3)), "two");
  EXPECT_TRUE(ends.io.run(until_readable(*ends.server)));
  EXPECT_EQ(*ends.io.run(read_text(*ends.server, 6)), " parts");
  auto aborted = ends.io.start(until_readable(*ends.client));
  auto end = ends.io.start(until_readable(*ends.server));
  ends.io.poll();
  EXPECT_FALSE(end->has_value());
  ends.client->abort();
  ends.io.run_until([&] { return aborted->has_value() && end->has_value(); });
}

TEST(PortalTlsStream, Section11_BulkBothWaysAtOnce) {
  Ends ends;
  ends.secure();
  const std::string up = noise(6 << 20, 1);
  const std::string down = noise(6 << 20, 2);
  auto sent_up = ends.io.start(write_text(*ends.client, up));
  auto sent_down = ends.io.start(write_text(*ends.server, down));
  auto got_up = ends.io.start(read_text(*ends.server, up.size()));
  auto got_down = ends.io.start(read_text(*ends.client, down.size()));
  ends.io.run_until([&] { return got_up->has_value() && got_down->has_value(); }, 60s);
  EXPECT_TRUE(***got_up == up);
  EXPECT_TRUE(***got_down == down);
  ends.io.run_until([&] { return sent_up->has_value() && sent_down->has_value(); });
}

TEST(PortalTlsStream, Section11_3_EachHalfEndsByItself) {
  Ends ends;
  ends.secure();
  ASSERT_TRUE(ends.io.run(write_text(*ends.client, "last")));
  ASSERT_TRUE(ends.io.run(ends.client->finish()));
  ASSERT_TRUE(ends.io.run(ends.client->finish())) << "again is nothing";
  EXPECT_EQ(*ends.io.run(read_text(*ends.server, 10)), "last");
  EXPECT_EQ(*ends.io.run(read_text(*ends.server, 10)), "") << "the end stays";
  ASSERT_TRUE(ends.io.run(write_text(*ends.server, "still here")));
  EXPECT_EQ(*ends.io.run(read_text(*ends.client, 10)), "still here");
  ASSERT_TRUE(ends.io.run(ends.server->finish()));
  EXPECT_EQ(*ends.io.run(read_text(*ends.client, 1)), "");
}

TEST(PortalTlsStream, Section11_4_AnEndWithoutCloseNotifyIsAnError) {
  Ends ends;
  ends.secure();
  ASSERT_TRUE(ends.io.run(write_text(*ends.client, "cut")));
  ends.client.reset();
  EXPECT_EQ(*ends.io.run(read_text(*ends.server, 3)), "cut") << "what came is delivered first";
  const auto after = ends.io.run(read_text(*ends.server, 1));
  ASSERT_FALSE(after);
  EXPECT_TRUE(after.error() == relay::Errc::truncated) << after.error().text();
  EXPECT_FALSE(ends.io.run(read_text(*ends.server, 1))) << "the error stays";
}

TEST(PortalTlsStream, Section4_AnAbortEndsWhatIsUnderWay) {
  Ends ends;
  ends.secure();
  auto reading = ends.io.start(read_text(*ends.server, 1));
  const std::string much(32 << 20, 'x');
  auto writing = ends.io.start(write_text(*ends.server, much));
  ends.io.poll();
  ASSERT_FALSE(reading->has_value());
  ASSERT_FALSE(writing->has_value());
  ends.server->abort();
  ends.server->abort();
  ends.io.run_until([&] { return reading->has_value() && writing->has_value(); });
  EXPECT_TRUE((**reading).error() == relay::Errc::aborted);
  EXPECT_TRUE((**writing).error() == relay::Errc::aborted);
  EXPECT_TRUE(ends.io.run(ends.server->finish()).error() == relay::Errc::aborted);
}

TEST(PortalTlsStream, Section15_AnEmptyBufferSeesTheEnd) {
  Ends ends;
  ends.secure();
  ASSERT_TRUE(ends.io.run(write_text(*ends.client, "x")));
  EXPECT_EQ(*ends.io.run(ends.server->read_some({})), 0U);
}

TEST(PortalTlsClient, Section18_ThePinOutranksChainNameAndDates) {
  const credentials::Pair pair = portal_pair();
  ClientTlsSettings settings{
      .trust = {.kind = ClientTrust::Kind::pin, .pin = pair.leaf_sha256, .name = "other.test"}};
  Ends right(settings, pair);
  EXPECT_TRUE(right.shake_hands().first);
  Ends wrong(settings, portal_pair());
  const auto [mine, theirs] = wrong.shake_hands();
  ASSERT_FALSE(mine);
  EXPECT_TRUE(mine.error() == make_error_code(Errc::untrusted)) << mine.error().text();
  EXPECT_FALSE(theirs);
}

TEST(PortalTlsClient, Section18_SystemTrustChecksChainAndName) {
  portunus::test::TempDir dir;
  const auto made =
      *crypto::generate_self_signed_for_name("portal.test", SystemClock::instance().now());
  const credentials::Pair pair{.certificates_pem = made.certificate_pem,
                               .key_pem = made.key_pem,
                               .leaf_sha256 = "",
                               .generation = 1};
  portunus::test::write_file(dir / "roots", made.certificate_pem);
  const auto outcome = [&](const std::string& name, bool known) {
    Ends ends({.trust = {.kind = ClientTrust::Kind::system,
                         .name = name,
                         .roots_path = known ? std::string(dir / "roots") : std::string()}},
              pair);
    return ends.shake_hands().first;
  };
  EXPECT_TRUE(outcome("portal.test", true));
  EXPECT_TRUE(outcome("other.test", true).error() == make_error_code(Errc::untrusted));
  EXPECT_TRUE(outcome("127.0.0.1", true).error() == make_error_code(Errc::untrusted));
  EXPECT_TRUE(outcome("portal.test", false).error() == make_error_code(Errc::untrusted));
}

TEST(PortalTlsClient, Section8_AnotherAlpnFails) {
  Ends ends({.alpn = "now/2", .trust = {.kind = ClientTrust::Kind::anything}});
  const auto [mine, theirs] = ends.shake_hands();
  EXPECT_FALSE(mine);
  EXPECT_FALSE(theirs);
}

TEST(PortalTlsStream, Section9_HeldOutputStaysUntilReleased) {
  Ends ends;
  ends.secure();
  ends.server->hold_output();
  ASSERT_TRUE(ends.io.run(write_text(*ends.server, "kept back")));
  auto reading = ends.io.start(read_text(*ends.client, 9));
  ends.io.poll();
  EXPECT_FALSE(reading->has_value());
  ASSERT_TRUE(ends.server->release_output());
  ends.io.run_until([&] { return reading->has_value(); });
  EXPECT_EQ(***reading, "kept back");
}

}  // namespace
}  // namespace portunus::portal::tls
