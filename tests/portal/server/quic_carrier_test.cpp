// Portal contract 8, 9 and 19.9: what passes on the wire of a QUIC connection, and when nothing
// may.
#include "tests/portal/server/quic_rig.hpp"
#include "tests/portal/support/nat.hpp"

namespace portunus::portal::server {
namespace {

TEST_F(QuicSessionTest, S19_9_five_seconds_of_authenticated_silence_bring_no_packet) {
  portal.start();
  Echo echo(io);
  test::Nat nat(io.context(), portal.portal().udp_endpoints().at(0));
  const auto connection = authenticated(nat.front());
  // Not only before the first request: with an open relay, and with a flow.
  const auto relay = request(*connection, echo.tcp(), "x");
  const std::string packet = datagram(protocol::DatagramType::request, 1, echo.udp(), "x");
  connection->send_datagram(octets(packet), {});
  receive(*connection);
  // Acknowledgements and probes of the path come to an end.
  std::uint64_t seen = 0;
  io.run_until([&] {
    const bool same = std::exchange(seen, nat.to_clients().packets) == nat.to_clients().packets;
    pass(milliseconds(500));
    return same && seen == nat.to_clients().packets;
  });
  const std::uint64_t ours = nat.to_server().packets;
  pass(seconds(5));
  EXPECT_EQ(nat.to_clients().packets, seen);
  EXPECT_EQ(nat.to_server().packets, ours) << "the silence was not the Portal's alone";
  EXPECT_FALSE(connection->ending().has_value());
  relay->finish_now();
  EXPECT_EQ(*io.run(read_all(*relay)), "x");
}

TEST_F(QuicSessionTest, S8_relays_and_flows_go_on_when_the_clients_address_changes) {
  portal.start();
  Echo echo(io);
  test::Nat nat(io.context(), portal.portal().udp_endpoints().at(0));
  const auto connection = authenticated(nat.front());
  const auto relay = request(*connection, echo.tcp());
  const std::string packet = datagram(protocol::DatagramType::request, 1, echo.udp(), "x");
  std::array<std::byte, 5> back;
  for (int change = 0; change < 5; ++change) {
    ASSERT_TRUE(io.run(relay->write_all(bytes_of("hello"))).has_value());
    ASSERT_EQ(*io.run(relay::read_full(*relay, back)), back.size());
    connection->send_datagram(octets(packet), {});
    EXPECT_EQ(receive(*connection), datagram(protocol::DatagramType::response, 1, echo.udp(), "x"));
    nat.rebind();
  }
  // The same relay and the same flow all the time.
  EXPECT_EQ(echo.accepted(), 1);
  io.run_until([&] { return portal.counter("TCPS") == 1 && portal.counter("UDPS") == 1; });
  relay->finish_now();
  EXPECT_EQ(*io.run(read_all(*relay)), "");
}

TEST_F(QuicSessionTest, S9_who_has_not_authenticated_is_given_64_KiB_of_credit) {
  portal.tuning.handshake_timeout = seconds(60);
  portal.start();
  test::Nat nat(io.context(), portal.portal().udp_endpoints().at(0));
  const auto connection = connect(nat.front());
  // The first of them are no frame, and what follows is not read.
  const auto stream = send_auth(*connection, std::string(200 * 1024, 'x'));
  io.run_until([&] { return nat.to_server().bytes >= 64 * 1024; });
  pass(milliseconds(300));
  // Headers, acknowledgements and the handshake are beside it.
  EXPECT_LT(nat.to_server().bytes, 64 * 1024 + 20 * 1024);
}

TEST_F(QuicSessionTest, S9_and_after_it_as_much_as_a_window_holds) {
  portal.start();
  const auto connection = authenticated();
  // A target that takes nothing.
  asio::ip::tcp::acceptor acceptor(io.context(), {asio::ip::address_v4::loopback(), 0});
  acceptor.set_option(asio::socket_base::receive_buffer_size(4096));
  const auto stream =
      request(*connection, "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()));
  // More than 64 KiB and what TCP behind it holds; the stream's own credit is 16 MiB.
  const std::string much(8 * 1024 * 1024, 'x');
  EXPECT_TRUE(io.run(stream->write_all(bytes_of(much))).has_value());
}

}  // namespace
}  // namespace portunus::portal::server
