// Contract: docs/contracts/portal.md, sections 6.4 and 13, the client's side.
#include "portal/client/uot_flow.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/gate.hpp"
#include "portal/client/errc.hpp"
#include "portal/relay/tcp_stream.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::portal::client {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

class Collector final : public UdpReceiver {
 public:
  void on_packet(std::span<const std::uint8_t> payload) override {
    packets.emplace_back(payload.begin(), payload.end());
  }
  void on_closed(const Error& why) override {
    ++closed;
    code = why.code;
  }
  std::vector<std::string> packets;
  int closed = 0;
  std::error_code code;
};

/// A flow over a socket pair of TCP; the far end is the test's.
class Portal13Client : public testing::Test {
 protected:
  Portal13Client() : far_(io_.executor()), gate_(io_.executor()) {
    Tcp::acceptor acceptor(io_.context(), Tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    Tcp::socket near(io_.context());
    near.connect(acceptor.local_endpoint());
    far_ = acceptor.accept();
    flow_ = std::make_unique<UotFlow>(
        io_.executor(), gate_, std::make_unique<relay::TcpStream>(std::move(near)), receiver_);
  }
  ~Portal13Client() override {
    flow_.reset();
    stop_gate();
  }
  /// On the loop, as whoever owns a gate does it.
  void stop_gate() {
    asio::post(io_.context(), [this] { gate_.request_stop(); });
    io_.run_until([&] { return gate_.idle(); });
  }

  static std::span<const std::uint8_t> bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  }
  /// `size` bytes that have come to the far end.
  std::string take(std::size_t size) {
    std::string got(size, '\0');
    std::optional<boost::system::error_code> done;
    asio::async_read(far_, asio::buffer(got),
                     [&](const boost::system::error_code& ec, std::size_t) { done = ec; });
    io_.run_until([&] { return done.has_value(); });
    EXPECT_FALSE(*done) << done->message();
    return got;
  }
  /// How the far end's stream ends, which must have nothing more to read.
  boost::system::error_code end() {
    std::array<char, 1> byte;
    std::optional<boost::system::error_code> done;
    asio::async_read(far_, asio::buffer(byte),
                     [&](const boost::system::error_code& ec, std::size_t) { done = ec; });
    io_.run_until([&] { return done.has_value(); });
    return *done;
  }
  void put(std::string_view text) { asio::write(far_, asio::buffer(text)); }

  test::TestIo io_;
  Tcp::socket far_;
  Collector receiver_;
  async::Gate gate_;
  std::unique_ptr<UotFlow> flow_;
};

TEST_F(Portal13Client, OneFrameIsOnePacketEmptyOnesToo) {
  EXPECT_TRUE(flow_->send(bytes("abc")));
  EXPECT_TRUE(flow_->send({}));
  EXPECT_TRUE(flow_->send(bytes("d")));
  EXPECT_EQ(take(10), std::string("\0\3abc\0\0\0\1d", 10));
}

TEST_F(Portal13Client, AnswersComeWholeHoweverTheyAreCut) {
  const std::string frames("\0\3abc\0\0\0\1d", 10);
  for (const char byte : frames) {
    put(std::string_view(&byte, 1));
    io_.poll();
  }
  io_.run_until([&] { return receiver_.packets.size() == 3; });
  EXPECT_EQ(receiver_.packets, (std::vector<std::string>{"abc", "", "d"}));
}

TEST_F(Portal13Client, LargestPacketPassesAndALargerOneIsLost) {
  const std::string large(65535, 'x');
  EXPECT_TRUE(flow_->send(bytes(large)));
  EXPECT_EQ(take(65537), std::string("\xff\xff") + large);
  EXPECT_FALSE(flow_->send(bytes(large + "x")));
  EXPECT_TRUE(flow_->send(bytes("after")));
  EXPECT_EQ(take(7), std::string("\0\5after", 7));
}

TEST_F(Portal13Client, QueueIsBoundedWhenThePortalDoesNotRead) {
  const std::string packet(60'000, 'x');
  std::size_t accepted = 0;
  // The kernel's buffers take some; what waits here is bounded.
  for (int i = 0; i < 2000; ++i) {
    accepted += flow_->send(bytes(packet)) ? 1 : 0;
    io_.poll();
  }
  EXPECT_LT(accepted, 2000U);
  EXPECT_FALSE(flow_->send(bytes(packet)));
}

TEST_F(Portal13Client, EndOfTheStreamIsToldOnce) {
  far_.close();
  io_.run_until([&] { return receiver_.closed > 0; });
  EXPECT_EQ(receiver_.code, make_error_code(Errc::connection_lost));
  io_.run_until([&] { return gate_.idle(); });
  EXPECT_EQ(receiver_.closed, 1);
  EXPECT_FALSE(flow_->send(bytes("late")));
}

TEST_F(Portal13Client, PacketsQueuedBeforeTheFlowGoesStillLeaveAndTheEndIsClean) {
  flow_->send(bytes("last"));
  flow_.reset();
  EXPECT_EQ(take(6), std::string("\0\4last", 6));
  EXPECT_EQ(end(), asio::error::eof);
  EXPECT_EQ(receiver_.closed, 0) << "the owner knows";
  io_.run_until([&] { return gate_.idle(); });
}

TEST_F(Portal13Client, StopOfTheGateEndsTheFlowAtOnce) {
  stop_gate();
  EXPECT_EQ(receiver_.code, make_error_code(Errc::stopped));
}

}  // namespace
}  // namespace portunus::portal::client
