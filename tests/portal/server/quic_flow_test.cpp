// Portal contract 12: UDP flows over QUIC DATAGRAMs.
#include "common/base/descriptor_limit.hpp"
#include "tests/portal/server/quic_rig.hpp"
#include "tests/support/scripted_dns.hpp"

namespace portunus::portal::server {
namespace {

using Type = protocol::DatagramType;

/// A target of one packet at a time, as the test wants it.
class Target {
 public:
  explicit Target(test::TestIo& io)
      : io_(io), socket_(io.context(), {asio::ip::address_v4::loopback(), 0}) {
    socket_.non_blocking(true);
  }
  std::string address() const {
    return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port());
  }
  std::string receive() {
    std::size_t n = 0;
    io_.run_until([&] {
      boost::system::error_code ec;
      n = socket_.receive_from(asio::buffer(buffer_), flow_, 0, ec);
      return !ec;
    });
    return {buffer_.data(), n};
  }
  /// To the flow that was heard last.
  void send(const std::string& packet) { socket_.send_to(asio::buffer(packet), flow_); }

 private:
  test::TestIo& io_;
  asio::ip::udp::socket socket_;
  asio::ip::udp::endpoint flow_;
  std::array<char, 65536> buffer_;
};

TEST_F(QuicSessionTest, S12_one_id_with_two_targets_is_two_flows) {
  portal.start();
  Echo one(io);
  Echo two(io);
  const auto connection = authenticated();
  for (const Echo* echo : {&one, &two}) {
    connection->send_datagram(octets(datagram(Type::request, 7, echo->udp(), "abc")), {});
    EXPECT_EQ(receive(*connection), datagram(Type::response, 7, echo->udp(), "abc"));
  }
  io.run_until([&] { return portal.counter("UDPS") == 2; });
  // Neither a close of what there is not, nor one of the other target ends this one.
  connection->send_datagram(octets(datagram(Type::close, 8, one.udp(), "")), {});
  connection->send_datagram(octets(datagram(Type::close, 7, two.udp(), "")), {});
  io.run_until([&] { return portal.counter("UDPS") == 1; });
  connection->send_datagram(octets(datagram(Type::request, 7, one.udp(), "d")), {});
  EXPECT_EQ(receive(*connection), datagram(Type::response, 7, one.udp(), "d"));
  connection->close(0, {});
  io.run_until([&] { return portal.counter("UDPS") == 0; });
}

TEST_F(QuicSessionTest, S12_order_is_kept_across_the_opening_of_a_flow) {
  portal.start();
  Target target(io);
  const auto connection = authenticated();
  for (int i = 0; i < 200; ++i) {
    connection->send_datagram(
        octets(datagram(Type::request, 1, target.address(), std::to_string(i))), {});
  }
  for (int i = 0; i < 200; ++i) EXPECT_EQ(target.receive(), std::to_string(i));
}

TEST_F(QuicSessionTest, S12_empty_requests_are_sent_on_and_empty_replies_are_not) {
  portal.start();
  Target target(io);
  const auto connection = authenticated();
  connection->send_datagram(octets(datagram(Type::request, 1, target.address(), "")), {});
  EXPECT_EQ(target.receive(), "");
  target.send("");
  target.send("next");
  EXPECT_EQ(receive(*connection), datagram(Type::response, 1, target.address(), "next"));
}

TEST_F(QuicSessionTest, S12_a_reply_that_no_DATAGRAM_holds_is_dropped_and_stays_counted) {
  portal.start();
  Target target(io);
  const auto connection = authenticated();
  connection->send_datagram(octets(datagram(Type::request, 1, target.address(), "ask")), {});
  EXPECT_EQ(target.receive(), "ask");
  target.send(std::string(30'000, 'x'));
  target.send("small");
  EXPECT_EQ(receive(*connection), datagram(Type::response, 1, target.address(), "small"));
  io.run_until([&] { return portal.counter("UDPTX") == 30'005; });
}

TEST_F(QuicSessionTest, S15_replies_are_cut_to_the_buffer) {
  portal.tuning.udp_buffer_size = 100;
  portal.start();
  Target target(io);
  const auto connection = authenticated();
  connection->send_datagram(octets(datagram(Type::request, 1, target.address(), "ask")), {});
  EXPECT_EQ(target.receive(), "ask");
  target.send(std::string(300, 'x'));
  EXPECT_EQ(receive(*connection),
            datagram(Type::response, 1, target.address(), std::string(100, 'x')));
  io.run_until([&] { return portal.counter("UDPTX") == 100; });
}

TEST_F(QuicSessionTest, S12_a_failed_dial_loses_that_datagram_alone) {
  portal.start();
  Echo echo(io);
  const auto connection = authenticated();
  for (const char* target : {":443", "h:abc", "no.such.name.invalid:1"}) {
    connection->send_datagram(octets(datagram(Type::request, 1, target, "x")), {});
  }
  io.run_until([&] { return portal.logged("dial udp no.such.name.invalid:1"); });
  connection->send_datagram(octets(datagram(Type::request, 1, echo.udp(), "x")), {});
  EXPECT_EQ(receive(*connection), datagram(Type::response, 1, echo.udp(), "x"));
  io.run_until([&] { return portal.counter("UDPS") == 1; });
}

TEST_F(QuicSessionTest, S12_a_flow_that_is_closed_dials_no_more) {
  const test::ScriptedDns dns(
      [](const test::DnsQuestion&) { return std::vector<test::DnsAnswer>(); });
  portal.options.resolver.servers = dns.server();
  portal.tuning.udp_dial_timeout = seconds(60);
  portal.start();
  const auto connection = authenticated();
  connection->send_datagram(octets(datagram(Type::request, 1, "silent.test:1", "x")), {});
  io.run_until([&] { return !dns.questions().empty(); });
  // More packets are no reason to end it.
  connection->send_datagram(octets(datagram(Type::request, 1, "silent.test:1", "y")), {});
  pass(milliseconds(200));
  EXPECT_FALSE(portal.logged("dial udp silent.test:1"));
  connection->send_datagram(octets(datagram(Type::close, 1, "silent.test:1", "")), {});
  io.run_until([&] { return portal.logged("dial udp silent.test:1: closed meanwhile"); });
}

TEST_F(QuicSessionTest, S12_every_packet_restarts_the_idle_clock) {
  portal.tuning.udp_idle_timeout = milliseconds(1200);
  client_settings.keep_alive = milliseconds(200);
  portal.start();
  Target target(io);
  const auto connection = authenticated();
  const auto send = [&] {
    connection->send_datagram(octets(datagram(Type::request, 1, target.address(), "x")), {});
    EXPECT_EQ(target.receive(), "x");
  };
  send();
  pass(milliseconds(800));
  target.send("a reply");
  EXPECT_EQ(receive(*connection), datagram(Type::response, 1, target.address(), "a reply"));
  pass(milliseconds(800));
  EXPECT_EQ(portal.counter("UDPS"), 1);
  send();
  pass(milliseconds(800));
  EXPECT_EQ(portal.counter("UDPS"), 1);
  io.run_until([&] { return portal.counter("UDPS") == 0; });
  // The connection has had no part in that.
  EXPECT_FALSE(connection->ending().has_value());
  send();
}

TEST_F(QuicSessionTest, S12_a_connection_has_1024_flows_and_the_next_are_refused) {
  const auto limit = raise_descriptor_limit();
  if (!limit || limit->soft < 2000) GTEST_SKIP() << "too few descriptors for so many flows";
  portal.start();
  Echo echo(io);
  const auto connection = authenticated();
  const auto ask = [&](std::uint64_t id) {
    connection->send_datagram(octets(datagram(Type::request, id, echo.udp(), "x")), {});
  };
  // No more at once than the target's receive buffer holds.
  for (int id = 1; id <= 1024; ++id) {
    ask(static_cast<std::uint64_t>(id));
    if (id % 64 == 0) io.run_until([&] { return echo.packets() == id; });
  }
  io.run_until([&] { return portal.counter("UDPS") == 1024; });
  for (std::uint64_t id = 2000; id < 2010; ++id) ask(id);
  io.run_until([&] { return portal.logged("too many flows of one connection"); });
  EXPECT_EQ(portal.counter("UDPS"), 1024);
  // Old ones work on, and the end of one makes room.
  ask(1);
  io.run_until([&] { return echo.packets() == 1025; });
  connection->send_datagram(octets(datagram(Type::close, 7, echo.udp(), "")), {});
  ask(3000);
  io.run_until([&] { return echo.packets() == 1026; });
  io.run_until([&] { return portal.counter("UDPS") == 1024; });
}

TEST_F(QuicSessionTest, S14_payloads_of_DATAGRAMs_are_charged_in_both_directions) {
  portal.config.rate_mbps = 1;  // 125000 bytes a second
  portal.config.etar_mbps = 2;
  portal.start();
  Echo echo(io);
  const auto connection = authenticated();
  const std::string payload(1000, 'x');
  const auto begin = Clock::now();
  for (int i = 0; i < 50; ++i) {
    connection->send_datagram(octets(datagram(Type::request, 1, echo.udp(), payload)), {});
  }
  io.run_until([&] { return portal.counter("UDPTX") == 50'000; });
  // 50 packets of 8 ms each, and their answers meanwhile.
  EXPECT_GE(Clock::now() - begin, milliseconds(400));
}

}  // namespace
}  // namespace portunus::portal::server
