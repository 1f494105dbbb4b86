// Contract: docs/contracts/portal.md, section 18, UDP flows at the local end.
#include "portal/client/forwarder/udp_forwarder.hpp"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "portal/client/errc.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::portal::client::forwarder {
namespace {

namespace asio = boost::asio;
using Udp = asio::ip::udp;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Keeps what its flows were given; a test answers through them.
class RecordingTransport final : public Transport {
 public:
  struct Record {
    UdpReceiver* receiver;
    std::vector<std::string> packets;
    bool gone = false;
  };
  class Flow final : public UdpFlow {
   public:
    explicit Flow(std::shared_ptr<Record> record) : record_(std::move(record)) {}
    ~Flow() override { record_->gone = true; }
    bool send(std::span<const std::uint8_t> payload) override {
      record_->packets.emplace_back(payload.begin(), payload.end());
      return true;
    }
    void flush() override {}

   private:
    std::shared_ptr<Record> record_;
  };

  explicit RecordingTransport(asio::any_io_executor executor)
      : gate(executor, asio::steady_timer::time_point::max()) {}

  void start() override {}
  async::Task<Result<std::unique_ptr<relay::ByteStream>>> open_tcp(std::string) override {
    co_return fail(Errc::stopped);
  }
  async::Task<Result<std::unique_ptr<UdpFlow>>> open_udp(std::string target,
                                                         UdpReceiver& receiver) override {
    targets.push_back(std::move(target));
    if (hold) co_await gate.async_wait(async::kTuple);
    if (failure) co_return fail(*failure);
    flows.push_back(std::make_shared<Record>(Record{&receiver, {}}));
    co_return std::make_unique<Flow>(flows.back());
  }
  void request_stop() override {}
  async::Task<bool> drain(std::chrono::steady_clock::duration) override { co_return true; }

  /// open_udp() waits for a cancel of `gate`.
  bool hold = false;
  asio::steady_timer gate;
  std::optional<Error> failure;
  std::vector<std::string> targets;
  std::vector<std::shared_ptr<Record>> flows;
};

class Portal18UdpForwarder : public testing::Test {
 protected:
  Portal18UdpForwarder() : transport_(io_.executor()) {}
  ~Portal18UdpForwarder() override {
    if (!forwarder_) return;
    io_.run([](UdpForwarder& f) -> async::Task<bool> {
      co_return co_await f.drain(seconds(10));
    }(*forwarder_));
    for (const auto& flow : transport_.flows) EXPECT_TRUE(flow->gone);
  }

  void open(UdpOptions options = {.target = "x.test:53"}) {
    forwarder_.emplace(
        io_.executor(), transport_, std::move(options),
        [this](const net::Endpoint&, const Error& why) { troubles_.push_back(why.code); });
    const auto bound = forwarder_->listen(*net::Endpoint::parse("127.0.0.1:0"));
    ASSERT_TRUE(bound) << bound.error().text();
    local_ = Udp::endpoint(asio::ip::address_v4::loopback(), bound->port());
    forwarder_->start();
  }
  Udp::socket user() {
    Udp::socket socket(io_.context(), Udp::endpoint(asio::ip::address_v4::loopback(), 0));
    socket.connect(local_);
    return socket;
  }
  static void put(Udp::socket& socket, std::string_view text) { socket.send(asio::buffer(text)); }
  std::string take(Udp::socket& socket) {
    std::array<char, 65536> buffer;
    std::optional<std::size_t> got;
    socket.async_receive(asio::buffer(buffer),
                         [&](const boost::system::error_code& ec, std::size_t n) {
                           EXPECT_FALSE(ec) << ec.message();
                           got = n;
                         });
    io_.run_until([&] { return got.has_value(); });
    return {buffer.data(), *got};
  }
  RecordingTransport::Record& flow(std::size_t index) {
    io_.run_until([&] { return transport_.flows.size() > index; });
    return *transport_.flows[index];
  }
  void expect_packets(std::size_t index, const std::vector<std::string>& packets) {
    RecordingTransport::Record& record = flow(index);
    io_.run_until([&] { return record.packets.size() >= packets.size(); });
    EXPECT_EQ(record.packets, packets);
  }
  void answer(std::size_t index, std::string_view text) {
    flow(index).receiver->on_packet(
        {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }

  test::TestIo io_;
  RecordingTransport transport_;
  std::optional<UdpForwarder> forwarder_;
  Udp::endpoint local_;
  std::vector<std::error_code> troubles_;
};

TEST_F(Portal18UdpForwarder, OneFlowPerClientAddressAndAnswersFindTheirOwn) {
  open();
  Udp::socket a = user();
  Udp::socket b = user();
  put(a, "from a");
  expect_packets(0, {"from a"});
  put(b, "from b");
  expect_packets(1, {"from b"});
  put(a, "again");
  expect_packets(0, {"from a", "again"});
  answer(1, "to b");
  answer(0, "to a");
  EXPECT_EQ(take(a), "to a");
  EXPECT_EQ(take(b), "to b");
  EXPECT_EQ(forwarder_->flows(), 2U);
  EXPECT_EQ(transport_.targets, (std::vector<std::string>{"x.test:53", "x.test:53"}));
}

TEST_F(Portal18UdpForwarder, EmptyAndLargestPacketsPassBothWays) {
  open();
  Udp::socket a = user();
  const std::string large(65507, 'x');
  put(a, "");
  put(a, large);
  expect_packets(0, {"", large});
  answer(0, large);
  EXPECT_EQ(take(a), large);
  answer(0, "");
  EXPECT_EQ(take(a), "");
}

TEST_F(Portal18UdpForwarder, PacketsWaitInOrderWhileTheFlowIsOpened) {
  transport_.hold = true;
  open({.target = "x.test:53", .pending_packets = 3});
  Udp::socket a = user();
  for (const char* text : {"1", "2", "3", "4"}) put(a, text);
  io_.run_until([&] { return transport_.targets.size() == 1; });
  io_.poll();
  transport_.gate.cancel();
  expect_packets(0, {"1", "2", "3"});  // the fourth found no room
  put(a, "5");
  expect_packets(0, {"1", "2", "3", "5"});
}

TEST_F(Portal18UdpForwarder, FlowThatCannotBeOpenedIsForgottenAndTriedAnew) {
  open();
  transport_.failure = Error(Errc::unreachable);
  Udp::socket a = user();
  put(a, "lost");
  io_.run_until([&] { return troubles_.size() == 1 && forwarder_->flows() == 0; });
  transport_.failure.reset();
  put(a, "kept");
  expect_packets(0, {"kept"});
}

TEST_F(Portal18UdpForwarder, IdleFlowExpiresAndALaterPacketOpensANewOne) {
  open({.target = "x.test:53", .idle = milliseconds(40)});
  Udp::socket a = user();
  put(a, "1");
  expect_packets(0, {"1"});
  io_.run_until([&] { return forwarder_->flows() == 0; });
  EXPECT_TRUE(transport_.flows[0]->gone);
  put(a, "2");
  expect_packets(1, {"2"});
}

TEST_F(Portal18UdpForwarder, AtTheBoundNewClientsAreLostAndOldOnesLive) {
  open({.target = "x.test:53", .max_flows = 1});
  Udp::socket a = user();
  Udp::socket b = user();
  put(a, "1");
  expect_packets(0, {"1"});
  put(b, "lost");
  put(a, "2");
  expect_packets(0, {"1", "2"});
  EXPECT_EQ(forwarder_->flows(), 1U);
  EXPECT_EQ(transport_.targets.size(), 1U);
}

TEST_F(Portal18UdpForwarder, FlowThatEndsIsForgottenOutsideOfItsCallback) {
  open();
  Udp::socket a = user();
  put(a, "1");
  RecordingTransport::Record& first = flow(0);
  first.receiver->on_closed(Error(Errc::connection_lost));
  EXPECT_FALSE(first.gone) << "not from within its own call";
  io_.run_until([&] { return first.gone; });
  EXPECT_EQ(troubles_, std::vector{make_error_code(Errc::connection_lost)});
  put(a, "2");
  expect_packets(1, {"2"});
}

TEST_F(Portal18UdpForwarder, ClientThatIsGoneHurtsNobody) {
  open();
  Udp::socket a = user();
  Udp::socket b = user();
  put(a, "1");
  put(b, "1");
  flow(1);
  a.close();
  for (int i = 0; i < 5; ++i) answer(0, "into the void");  // ICMP comes back to the local port
  io_.poll();
  put(b, "2");
  expect_packets(1, {"1", "2"});
  answer(1, "alive");
  EXPECT_EQ(take(b), "alive");
}

TEST_F(Portal18UdpForwarder, StopWhileAFlowIsOpened) {
  transport_.hold = true;
  open();
  Udp::socket a = user();
  put(a, "1");
  io_.run_until([&] { return transport_.targets.size() == 1; });
  forwarder_->request_stop();
  EXPECT_EQ(forwarder_->flows(), 0U);
}

TEST_F(Portal18UdpForwarder, FloodOfNewAddressesDoesNotStopOldFlows) {
  open({.target = "x.test:53", .max_flows = 8});
  Udp::socket a = user();
  put(a, "0");
  flow(0);
  std::vector<Udp::socket> crowd;
  for (int i = 0; i < 200; ++i) {
    crowd.push_back(user());
    put(crowd.back(), "flood");
  }
  put(a, "1");
  expect_packets(0, {"0", "1"});
  EXPECT_EQ(forwarder_->flows(), 8U);
}

}  // namespace
}  // namespace portunus::portal::client::forwarder
