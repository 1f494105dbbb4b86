// The client against a real Portal in this process. Contract: docs/contracts/portal.md.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/crypto/digest.hpp"
#include "portal/client/errc.hpp"
#include "tests/portal/client/portal_rig.hpp"

namespace portunus::portal::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Collector final : public UdpReceiver {
 public:
  void on_packet(std::span<const std::uint8_t> payload) override {
    packets.emplace_back(payload.begin(), payload.end());
  }
  void on_closed(const Error&) override { ++closed; }
  std::vector<std::string> packets;
  int closed = 0;
};

std::span<const std::uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string pattern(std::size_t size) {
  std::string out(size, '\0');
  std::uint32_t x = 1;
  for (char& c : out) {
    x = x * 1664525 + 1013904223;
    c = static_cast<char>(x >> 24);
  }
  return out;
}

class PortalClient : public PortalClientRig, public testing::WithParamInterface<Carrier> {
 protected:
  PortalClient() { connect(GetParam(), portal_.settings()); }

  std::unique_ptr<UdpFlow> open_udp(Collector& receiver) {
    auto flow = io_.run(client_->open_udp(target_.udp(), receiver));
    if (!flow) throw std::runtime_error(flow.error().text());
    return std::move(*flow);
  }
};

TEST_P(PortalClient, Portal11TcpBytesComeBackUnchanged) {
  auto stream = open_tcp();
  ASSERT_TRUE(stream) << stream.error().text();
  const std::string sent = pattern(6 << 20);
  const auto writing = io_.start((*stream)->write_all(std::as_bytes(std::span(sent))));
  const auto back = read(**stream, sent.size());
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_TRUE(writing->has_value());
  EXPECT_EQ(crypto::sha256_hex(*back), crypto::sha256_hex(sent));
}

TEST_P(PortalClient, Portal18HalfCloseThenTheRestIsRead) {
  auto stream = open_tcp();
  ASSERT_TRUE(stream) << stream.error().text();
  ASSERT_TRUE(write(**stream, "question"));
  ASSERT_TRUE(io_.run((*stream)->finish()));
  const auto back = read(**stream, 100);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(*back, "question");
}

TEST_P(PortalClient, Portal18ManyStreamsAtOnce) {
  std::vector<std::unique_ptr<relay::ByteStream>> streams;
  for (int i = 0; i < 40; ++i) {
    auto stream = open_tcp();
    ASSERT_TRUE(stream) << stream.error().text();
    streams.push_back(std::move(*stream));
  }
  for (std::size_t i = 0; i < streams.size(); ++i) {
    ASSERT_TRUE(write(*streams[i], "stream " + std::to_string(i + 100)));
  }
  for (std::size_t i = 0; i < streams.size(); ++i) {
    EXPECT_EQ(read(*streams[i], 10), "stream " + std::to_string(i + 100));
  }
}

TEST_P(PortalClient, Portal12And13PacketsComeBackOneByOne) {
  Collector receiver;
  const auto flow = open_udp(receiver);
  std::vector<std::string> sent;
  for (int i = 0; i < 50; ++i) sent.push_back(std::to_string(i) + pattern(1000));
  for (const std::string& packet : sent) {
    ASSERT_TRUE(flow->send(bytes(packet)));
    flow->flush();
    io_.run_until([&] { return receiver.packets.size() == std::size_t(&packet - &sent[0]) + 1; });
  }
  EXPECT_EQ(receiver.packets, sent);
}

TEST_P(PortalClient, Portal12TwoFlowsToOneTargetKeepTheirAnswersApart) {
  Collector first;
  Collector second;
  const auto a = open_udp(first);
  const auto b = open_udp(second);
  for (int i = 0; i < 10; ++i) {
    a->send(bytes("a"));
    b->send(bytes("b"));
    const auto count = static_cast<std::size_t>(i + 1);
    io_.run_until([&] { return first.packets.size() == count && second.packets.size() == count; });
  }
  EXPECT_EQ(first.packets, std::vector<std::string>(10, "a"));
  EXPECT_EQ(second.packets, std::vector<std::string>(10, "b"));
}

TEST_P(PortalClient, Portal18SilenceIsTheOnlySignOfATargetThatIsNotThere) {
  auto stream = io_.run(client_->open_tcp("127.0.0.1:1"));
  ASSERT_TRUE(stream) << "nothing tells before the Portal has dialled";
  std::array<std::byte, 1> byte;
  const auto got = io_.run((*stream)->read_some(byte));
  EXPECT_TRUE(!got || *got == 0) << "an end or a reset, never data";
}

TEST_P(PortalClient, Portal65TargetsThatNoPortalTakesAreRefusedHere) {
  for (const char* target : {"", "nothing", "::1:443", "a:b:c", "uot.nowhere.invalid:0"}) {
    const auto stream = io_.run(client_->open_tcp(target));
    ASSERT_FALSE(stream) << target;
    EXPECT_EQ(stream.error().code, make_error_code(Errc::bad_target)) << target;
  }
}

TEST_P(PortalClient, RestartOfThePortalIsSurvived) {
  {
    auto before = open_tcp();
    ASSERT_TRUE(before) << before.error().text();
    ASSERT_TRUE(write(**before, "x"));
    EXPECT_EQ(read(**before, 1), "x");
    portal_.stop();
    std::array<std::byte, 1> byte;
    const auto got = io_.run((*before)->read_some(byte));
    EXPECT_TRUE(!got || *got == 0);
  }
  portal_.start();
  auto after = open_tcp();
  ASSERT_TRUE(after) << after.error().text();
  ASSERT_TRUE(write(**after, "y"));
  EXPECT_EQ(read(**after, 1), "y");
}

TEST_P(PortalClient, StopEndsWhatWaitsAndRefusesWhatIsNew) {
  client_->request_stop();
  const auto stream = open_tcp();
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, make_error_code(Errc::stopped));
}

INSTANTIATE_TEST_SUITE_P(Carriers, PortalClient, testing::Values(Carrier::tls, Carrier::quic),
                         [](const auto& carrier) {
                           return carrier.param == Carrier::tls ? "tls" : "quic";
                         });

using PortalTlsClient = PortalClientRig;
using PortalQuicClient = PortalClientRig;

TEST_F(PortalTlsClient, Portal18WrongKeyIsAnEndWithoutData) {
  ClientSettings settings = portal_.settings();
  settings.key = Secret("wrong");
  settings.pool = 0;
  connect(Carrier::tls, std::move(settings));
  auto stream = open_tcp();
  ASSERT_TRUE(stream) << "there is no acknowledgement to wait for";
  std::array<std::byte, 1> byte;
  const auto got = io_.run((*stream)->read_some(byte));
  EXPECT_TRUE(!got || *got == 0);
  EXPECT_EQ(target_.accepted(), 0);
}

TEST_F(PortalQuicClient, Portal18CloseCodeOneIsARefusedKey) {
  ClientSettings settings = portal_.settings();
  settings.key = Secret("wrong");
  settings.connect_timeout = seconds(5);
  connect(Carrier::quic, std::move(settings));
  const auto stream = open_tcp();
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, make_error_code(Errc::access_denied)) << stream.error().text();
  EXPECT_EQ(target_.accepted(), 0);
}

TEST_F(PortalTlsClient, Portal18WrongPinNeverCompletesAHandshake) {
  ClientSettings settings = portal_.settings();
  settings.pin = std::string(64, '0');
  connect(Carrier::tls, std::move(settings));
  const auto stream = open_tcp();
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, make_error_code(Errc::handshake_failed));
}

TEST_F(PortalQuicClient, Portal18WrongPinNeverCompletesAHandshake) {
  ClientSettings settings = portal_.settings();
  settings.pin = std::string(64, '0');
  settings.connect_timeout = seconds(1);
  connect(Carrier::quic, std::move(settings));
  const auto stream = open_tcp();
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, make_error_code(Errc::handshake_failed));
}

TEST_F(PortalTlsClient, Portal18SystemTrustRefusesASelfSignedCertificate) {
  ClientSettings settings = portal_.settings();
  settings.trust = Trust::system;
  connect(Carrier::tls, std::move(settings));
  EXPECT_FALSE(open_tcp());
}

TEST_F(PortalTlsClient, Portal8ClientOffersExactlyTheEffectiveAlpn) {
  ClientSettings settings = portal_.settings();
  settings.alpn = "now/2";
  connect(Carrier::tls, std::move(settings));
  const auto stream = open_tcp();
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, make_error_code(Errc::handshake_failed));
}

TEST_F(PortalTlsClient, Portal18WarmPoolFillsAsItIsUsed) {
  connect(Carrier::tls, portal_.settings());
  const auto& tls = static_cast<const TlsTransport&>(*client_);
  io_.run_until([&] { return tls.warm() == 1; });  // cold: one
  std::vector<std::unique_ptr<relay::ByteStream>> streams;
  const auto use = [&] {
    auto stream = open_tcp();
    ASSERT_TRUE(stream) << stream.error().text();
    streams.push_back(std::move(*stream));
  };
  use();
  io_.run_until([&] { return tls.warm() == 2; });  // the one taken, two started
  use();
  io_.run_until([&] { return tls.warm() == 3; });
  use();
  use();
  use();
  io_.run_until([&] { return tls.warm() == 5; });
  use();
  io_.run_until([&] { return tls.warm() == 5; });
  for (auto& stream : streams) {
    ASSERT_TRUE(write(*stream, "x"));
    EXPECT_EQ(read(*stream, 1), "x");
  }
}

TEST_F(PortalTlsClient, Portal18NothingListensThere) {
  ClientSettings settings = portal_.settings();
  portal_.stop();
  connect(Carrier::tls, std::move(settings));
  const auto stream = open_tcp();
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, make_error_code(Errc::unreachable));
}

TEST_F(PortalTlsClient, Portal18SilentPeerIsGivenUpInTime) {
  asio::ip::tcp::acceptor mute(io_.context(), {asio::ip::address_v4::loopback(), 0});
  ClientSettings settings = portal_.settings();
  settings.port = mute.local_endpoint().port();
  settings.connect_timeout = milliseconds(200);
  connect(Carrier::tls, std::move(settings));
  const auto stream = open_tcp();
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, make_error_code(Errc::timed_out));
}

TEST_F(PortalQuicClient, Portal12FlowOutlivesTheConnection) {
  connect(Carrier::quic, portal_.settings());
  Collector receiver;
  auto flow = io_.run(client_->open_udp(target_.udp(), receiver));
  ASSERT_TRUE(flow) << flow.error().text();
  (*flow)->send(bytes("before"));
  io_.run_until([&] { return receiver.packets.size() == 1; });
  const auto& quic = static_cast<const QuicTransport&>(*client_);
  portal_.stop();
  io_.run_until([&] { return !quic.connected(); });
  EXPECT_FALSE((*flow)->send(bytes("lost")));
  portal_.start();
  io_.run_until([&] { return quic.connected(); });
  EXPECT_TRUE((*flow)->send(bytes("after")));
  io_.run_until([&] { return receiver.packets.size() == 2; });
  EXPECT_EQ(receiver.packets.back(), "after");
  EXPECT_EQ(receiver.closed, 0);
  flow->reset();
}

TEST_F(PortalQuicClient, Portal18KeepAliveOutlivesTheIdleTimeOfThePortal) {
  portal_.stop();
  portal_.tuning.udp_idle_timeout = seconds(1);
  portal_.start();
  ClientSettings settings = portal_.settings();
  settings.quic_keep_alive = milliseconds(200);
  connect(Carrier::quic, std::move(settings));
  const auto& quic = static_cast<const QuicTransport&>(*client_);
  io_.run_until([&] { return quic.connected(); });
  bool ended = false;
  const auto until = SystemClock::instance().steady_now() + milliseconds(2500);
  io_.run_until([&] {
    ended = ended || !quic.connected();
    return SystemClock::instance().steady_now() > until;
  });
  EXPECT_FALSE(ended);
}

}  // namespace
}  // namespace portunus::portal::client
