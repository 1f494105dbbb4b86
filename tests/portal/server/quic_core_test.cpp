// Portal contract 8, 9 and 16: who is let in over QUIC, and what certificate they see.
#include <boost/asio/ip/tcp.hpp>

#include "common/crypto/certificate.hpp"
#include "tests/portal/server/quic_rig.hpp"
#include "tests/portal/support/nat.hpp"
#include "tests/portal/support/tls_client.hpp"
#include "tests/support/files.hpp"

namespace portunus::portal::server {
namespace {

class QuicAdmissionTest : public QuicSessionTest {
 protected:
  QuicAdmissionTest() {
    portal.config.net = config::Net::mix;
    portal.tuning.handshake_timeout = seconds(2);
    client_settings.handshake_timeout = milliseconds(800);
  }

  std::vector<std::shared_ptr<quic::Connection>> take_all_places() {
    std::vector<std::shared_ptr<quic::Connection>> held;
    for (int i = 0; i < 32; ++i) held.push_back(connect());
    return held;
  }
  /// Whether a connection attempt gets as far as the handshake's end.
  bool admitted(const std::optional<net::Endpoint>& to = {}) {
    const auto connection = begin(to);
    const bool done = io.run(connection->handshake()).has_value();
    if (!done) EXPECT_EQ(connection->ending()->cause, quic::Errc::handshake_timeout);
    return done;
  }
};

TEST_F(QuicAdmissionTest, S9_the_33rd_of_an_address_is_ignored_and_another_address_is_not) {
  portal.tuning.handshake_timeout = seconds(60);
  portal.start();
  const auto held = take_all_places();
  EXPECT_FALSE(admitted());
  EXPECT_TRUE(portal.logged("too many connections without authentication"));
  // One count for both carriers: TCP is accepted, and closed without a byte.
  asio::ip::tcp::socket tcp(io.context());
  tcp.connect({asio::ip::address_v4::loopback(), portal.port()});
  boost::system::error_code ec;
  char byte = 0;
  EXPECT_EQ(tcp.receive(asio::buffer(&byte, 1), 0, ec), 0U);
  EXPECT_TRUE(ec == asio::error::eof || ec == asio::error::connection_reset) << ec.message();
  const test::Nat other(io.context(), portal.portal().udp_endpoints().at(0), "127.0.0.2");
  EXPECT_TRUE(admitted(other.front()));
  // Who authenticates needs no place any more.
  const auto stream = send_auth(*held[3], portal.auth_frame());
  io.run_until([&] { return held[3]->stream_credit() > 0; });
  EXPECT_TRUE(admitted());
  EXPECT_FALSE(admitted());
}

TEST_F(QuicAdmissionTest, S9_a_peer_that_has_gone_keeps_its_place_until_its_deadline) {
  portal.start();
  const auto since = Clock::now();
  const auto held = take_all_places();
  // With the Portal all handshakes are complete, too: one that fails frees its place at once.
  pass(milliseconds(200));
  for (const auto& connection : held) connection->close(0, {});
  EXPECT_FALSE(admitted());
  io.run_until([&] { return admitted(); });
  EXPECT_GE(Clock::now() - since, milliseconds(1600));
}

TEST_F(QuicAdmissionTest, S8_another_ALPN_fails_with_0x178_and_gives_its_place_back) {
  client_settings.alpn = "h3";
  client_settings.handshake_timeout = seconds(5);
  portal.tuning.handshake_timeout = seconds(60);
  portal.start();
  for (int i = 0; i < 40; ++i) {
    const auto connection = begin();
    ASSERT_FALSE(io.run(connection->handshake()).has_value());
    ASSERT_EQ(connection->ending()->cause, quic::Errc::handshake_failed) << i;
    ASSERT_EQ(connection->ending()->code, 0x178U);
  }
}

TEST_F(QuicAdmissionTest, S2_1_an_alpn_that_QUIC_cannot_negotiate_is_reported_and_TLS_serves) {
  portal.config.alpn = std::string(31, 'a');
  portal.start();
  EXPECT_FALSE(portal.logged("alpn above 31 bytes"));
  client_settings.alpn = portal.config.alpn;
  client_settings.handshake_timeout = seconds(5);
  EXPECT_TRUE(io.run(begin()->handshake()).has_value());
  portal.stop();
  for (const std::size_t size : {std::size_t{32}, std::size_t{255}}) {
    test::RunningPortal other;
    other.config.net = config::Net::mix;
    other.config.alpn = std::string(size, 'a');
    other.start();
    EXPECT_TRUE(other.logged("QUIC cannot negotiate an alpn above 31 bytes, this one has " +
                             std::to_string(size)));
    test::TlsClient tls(other.port(), {.alpn = std::vector{other.config.alpn}});
    EXPECT_TRUE(tls.handshake());
  }
}

TEST_F(QuicAdmissionTest, S16_the_pair_is_read_again_at_a_ClientHello_of_QUIC) {
  test::TempDir dir;
  const auto write_pair = [&dir] {
    const auto pair =
        *crypto::generate_self_signed_for_name("portal.test", SystemClock::instance().now());
    test::write_file(dir / "crt", pair.certificate_pem);
    test::write_file(dir / "key", pair.key_pem);
    return *crypto::certificate_fingerprint(pair.certificate_pem);
  };
  portal.config.tls = config::TlsMode::pem_files;
  portal.config.certificate_path = dir / "crt";
  portal.config.key_path = dir / "key";
  portal.tuning.reload_interval = seconds(0);
  client_settings.handshake_timeout = seconds(5);
  client = quic::Endpoint::client(io.context(), client_settings);
  ASSERT_TRUE(client->start());
  const auto presents = [&](const std::string& pin) {
    const auto tls = quic::ClientTls::make({.kind = quic::Trust::Kind::pin, .pin = pin});
    const auto connection =
        *client->connect(portal.portal().udp_endpoints().at(0), *tls, "localhost");
    return io.run(connection->handshake()).has_value();
  };
  const std::string first = write_pair();
  portal.start();
  EXPECT_TRUE(presents(first));
  const std::string second = write_pair();
  EXPECT_TRUE(presents(second));
  EXPECT_FALSE(presents(first));
  test::write_file(dir / "key", "no key");
  EXPECT_TRUE(presents(second));
}

}  // namespace
}  // namespace portunus::portal::server
