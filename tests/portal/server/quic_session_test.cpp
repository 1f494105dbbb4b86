#include <thread>

#include "tests/dataplane/support/sockets.hpp"
#include "tests/portal/server/quic_rig.hpp"
#include "tests/support/scripted_dns.hpp"

namespace portunus::portal::server {
namespace {

TEST_F(QuicSessionTest, S11_a_request_stream_is_relayed_both_ways_to_its_end) {
  portal.start();
  Echo echo(io);
  const auto connection = authenticated();
  auto stream = *io.run(connection->open_stream());
  ASSERT_TRUE(
      io.run(stream->write_all(bytes_of(portal.request(echo.tcp()) + "hello"))).has_value());
  stream->finish_now();
  EXPECT_EQ(*io.run(read_all(*stream)), "hello");
  io.run_until([&] { return portal.counter("TCPS") == 0; });
}

TEST_F(QuicSessionTest, S9_a_wrong_tag_ends_at_the_deadline_with_access_denied) {
  portal.start();
  const auto since = Clock::now();
  const auto connection = connect();
  std::string frame = portal.auth_frame();
  for (char& byte : frame) byte = static_cast<char>(byte ^ 1);
  const auto stream = send_auth(*connection, frame);
  // Our half is finished at once, without data.
  EXPECT_EQ(*io.run(read_all(*stream)), "");
  EXPECT_EQ(connection->stream_credit(), 0U);
  expect_denied(*connection, since);
  io.run_until([&] {
    return portal.logged("protocol::crypto::validate_auth_frame: invalid authentication frame");
  });
}

TEST_F(QuicSessionTest, S9_bytes_behind_the_frame_are_refused_before_its_contents) {
  portal.start();
  const auto since = Clock::now();
  const auto connection = connect();
  const auto stream = send_auth(*connection, portal.auth_frame() + "x");
  expect_denied(*connection, since);
  io.run_until([&] {
    return portal.logged("protocol::crypto::read_auth_stream: trailing auth stream bytes");
  });
}

TEST_F(QuicSessionTest, S9_no_stream_a_short_frame_and_a_missing_FIN_end_at_the_deadline) {
  portal.start();
  {
    const auto since = Clock::now();
    const auto connection = connect();
    expect_denied(*connection, since);
  }
  {
    const auto since = Clock::now();
    const auto connection = connect();
    const auto stream = send_auth(*connection, portal.auth_frame().substr(1));
    expect_denied(*connection, since);
  }
  {
    const auto since = Clock::now();
    const auto connection = connect();
    const auto stream = send_auth(*connection, portal.auth_frame(), false);
    expect_denied(*connection, since);
  }
}

TEST_F(QuicSessionTest, S9_early_DATAGRAMs_are_delivered_first_and_64_KiB_of_them) {
  portal.start();
  Echo echo(io);
  const auto connection = connect();
  const std::string head = datagram(protocol::DatagramType::request, 1, echo.udp(), "");
  const std::string kilobyte = head + std::string(1024 - head.size(), 'x');
  for (int i = 0; i < 65; ++i) ASSERT_TRUE(connection->send_datagram(octets(kilobyte), {}));
  // They are with the Portal before the frame is.
  const auto until = Clock::now() + milliseconds(200);
  io.run_until([&] { return Clock::now() > until; });
  EXPECT_EQ(echo.packets(), 0);
  const auto stream = send_auth(*connection, portal.auth_frame());
  io.run_until([&] { return echo.packets() >= 64; });
  const auto late = Clock::now() + milliseconds(200);
  io.run_until([&] { return Clock::now() > late; });
  EXPECT_EQ(echo.packets(), 64);
}

TEST_F(QuicSessionTest, S9_an_early_DATAGRAM_that_does_not_fit_is_lost_alone) {
  portal.start();
  Echo echo(io);
  const auto connection = connect();
  const std::string head = datagram(protocol::DatagramType::request, 1, echo.udp(), "");
  const auto of_size = [&](std::size_t size) {
    return head + std::string(size - head.size(), 'x');
  };
  for (int i = 0; i < 63; ++i) connection->send_datagram(octets(of_size(1024)), {});
  connection->send_datagram(octets(of_size(1025)), {});
  connection->send_datagram(octets(of_size(1024)), {});
  connection->send_datagram(octets(of_size(head.size())), {});
  pass(milliseconds(200));
  const auto stream = send_auth(*connection, portal.auth_frame());
  io.run_until([&] { return echo.packets() >= 64; });
  pass(milliseconds(200));
  ASSERT_EQ(echo.packets(), 64);
  for (const std::string& packet : echo.received()) EXPECT_EQ(packet.size(), 1024 - head.size());
}

TEST_F(QuicSessionTest, S6_3_an_early_DATAGRAM_that_is_too_short_is_dropped_with_a_record) {
  portal.start();
  Echo echo(io);
  const auto connection = connect();
  for (const std::string& bytes : {std::string(1, 'x'), std::string(11, 'x')}) {
    ASSERT_TRUE(connection->send_datagram(octets(bytes), {}));
  }
  io.run_until([&] { return portal.times_logged("datagram dropped: ") == 2; });
  const auto stream = send_auth(*connection, portal.auth_frame());
  io.run_until([&] { return connection->stream_credit() > 0; });
  const std::string request = datagram(protocol::DatagramType::request, 1, echo.udp(), "x");
  connection->send_datagram(octets(request), {});
  EXPECT_EQ(receive(*connection), datagram(protocol::DatagramType::response, 1, echo.udp(), "x"));
  EXPECT_EQ(portal.times_logged("datagram dropped: "), 2);
}

TEST_F(QuicSessionTest, S9_early_DATAGRAMs_of_who_fails_are_discarded) {
  portal.start();
  Echo echo(io);
  const auto since = Clock::now();
  const auto connection = connect();
  const std::string request = datagram(protocol::DatagramType::request, 1, echo.udp(), "x");
  for (int i = 0; i < 10; ++i) connection->send_datagram(octets(request), {});
  const auto stream = send_auth(*connection, portal.auth_frame() + "x");
  expect_denied(*connection, since);
  pass(milliseconds(100));
  EXPECT_EQ(echo.packets(), 0);
  EXPECT_EQ(portal.counter("UDPRX"), 0);
}

TEST_F(QuicSessionTest, S8_as_many_streams_as_configured_and_not_one_before_success) {
  portal.tuning.quic_max_streams = 3;
  portal.start();
  Echo echo(io);
  const auto connection = connect();
  EXPECT_EQ(connection->stream_credit(), 1U);
  auto stream = send_auth(*connection, portal.auth_frame(), false);
  pass(milliseconds(100));
  EXPECT_EQ(connection->stream_credit(), 0U);
  stream->finish_now();
  EXPECT_EQ(*io.run(read_all(*stream)), "");
  stream.reset();
  io.run_until([&] { return connection->stream_credit() == 3; });
  std::vector<std::unique_ptr<quic::Stream>> open;
  for (int i = 0; i < 3; ++i) open.push_back(request(*connection, echo.tcp(), "x"));
  io.run_until([&] { return portal.counter("TCPS") == 3; });
  EXPECT_EQ(connection->stream_credit(), 0U);
  // One that has finished makes room for another one.
  open.front()->finish_now();
  EXPECT_EQ(*io.run(read_all(*open.front())), "x");
  open.erase(open.begin());
  io.run_until([&] { return connection->stream_credit() == 1; });
}

TEST_F(QuicSessionTest, S12_flows_answer_with_their_id_and_target_and_end_on_close) {
  portal.start();
  Echo echo(io);
  const auto connection = authenticated();
  using Type = protocol::DatagramType;
  for (std::uint64_t id : {std::uint64_t{7}, std::uint64_t{8}}) {
    ASSERT_TRUE(
        connection->send_datagram(octets(datagram(Type::request, id, echo.udp(), "abc")), {}));
    ASSERT_TRUE(io.run(connection->wait_for_datagram()));
    EXPECT_EQ(text_of(*connection->front_datagram()),
              datagram(Type::response, id, echo.udp(), "abc"));
    connection->pop_datagram();
  }
  io.run_until([&] { return portal.counter("UDPS") == 2; });
  connection->send_datagram(octets(datagram(Type::close, 7, echo.udp(), "")), {});
  io.run_until([&] { return portal.counter("UDPS") == 1; });
  connection->send_datagram(octets("nonsense"), {});
  connection->send_datagram(octets(datagram(Type::response, 8, echo.udp(), "x")), {});
  connection->send_datagram(octets(datagram(Type::request, 8, echo.udp(), "y")), {});
  ASSERT_TRUE(io.run(connection->wait_for_datagram()));
  EXPECT_EQ(text_of(*connection->front_datagram()), datagram(Type::response, 8, echo.udp(), "y"));
}

TEST_F(QuicSessionTest, S12_an_ICMP_error_ends_a_flow_silently_and_idle_time_too) {
  portal.tuning.udp_idle_timeout = milliseconds(1500);
  portal.start();
  const auto connection = authenticated();
  using Type = protocol::DatagramType;
  asio::ip::udp::socket unheard(io.context(), {asio::ip::address_v4::loopback(), 0});
  const std::string silent = "127.0.0.1:" + std::to_string(unheard.local_endpoint().port());
  asio::ip::udp::socket gone(io.context(), {asio::ip::address_v4::loopback(), 0});
  const std::string refused = "127.0.0.1:" + std::to_string(gone.local_endpoint().port());
  gone.close();
  connection->send_datagram(octets(datagram(Type::request, 1, silent, "x")), {});
  io.run_until([&] { return portal.counter("UDPS") == 1; });
  connection->send_datagram(octets(datagram(Type::request, 2, refused, "x")), {});
  io.run_until([&] { return portal.counter("UDPS") == 1 && portal.counter("UDPRX") == 2; });
  io.run_until([&] { return portal.counter("UDPS") == 0; });
}

TEST_F(QuicSessionTest, S10_a_bad_request_and_the_UoT_target_end_their_stream_alone) {
  portal.start();
  Echo echo(io);
  const auto connection = authenticated();
  for (const std::string& request :
       {portal.request("uot.nowhere.invalid:0"), std::string(80, '\xee')}) {
    auto stream = *io.run(connection->open_stream());
    ASSERT_TRUE(io.run(stream->write_all(bytes_of(request))).has_value());
    EXPECT_EQ(*io.run(read_all(*stream)), "");
    // STOP_SENDING, because our half has not ended.
    io.run_until([&] {
      const auto written = io.run(stream->write_all(bytes_of("x")));
      return !written && written.error() == make_error_code(quic::Errc::stream_stopped);
    });
  }
  auto stream = *io.run(connection->open_stream());
  io.run(stream->write_all(bytes_of(portal.request(echo.tcp()) + "z")));
  stream->finish_now();
  EXPECT_EQ(*io.run(read_all(*stream)), "z");
}

TEST_F(QuicSessionTest, S10_a_request_that_is_late_ends_its_stream_alone_and_without_jitter) {
  portal.tuning.handshake_timeout = milliseconds(500);
  portal.start();
  Echo echo(io);
  const auto connection = authenticated();
  auto other = request(*connection, echo.tcp(), "x");
  const auto since = Clock::now();
  auto late = *io.run(connection->open_stream());
  const std::string frame = portal.request(echo.tcp());
  io.run(late->write_all(bytes_of(frame.substr(0, frame.size() - 1))));
  EXPECT_EQ(*io.run(read_all(*late)), "");
  EXPECT_GE(Clock::now() - since, milliseconds(490));
  io.run_until([&] { return portal.logged("request: not complete in time"); });
  other->finish_now();
  EXPECT_EQ(*io.run(read_all(*other)), "x");
  EXPECT_EQ(echo.accepted(), 1);
}

TEST_F(QuicSessionTest, S11_a_failed_dial_finishes_its_stream_without_data) {
  portal.start();
  Echo echo(io);
  const auto connection = authenticated();
  asio::ip::tcp::acceptor gone(io.context(), {asio::ip::address_v4::loopback(), 0});
  const std::string refused = "127.0.0.1:" + std::to_string(gone.local_endpoint().port());
  gone.close();
  for (const std::string& target : {refused, std::string(":443"), std::string("h:abc")}) {
    const auto stream = request(*connection, target, "data");
    EXPECT_EQ(*io.run(read_all(*stream)), "") << target;
  }
  io.run_until([&] { return portal.counter("TCPS") == 0; });
  const auto stream = request(*connection, echo.tcp(), "still here");
  stream->finish_now();
  EXPECT_EQ(*io.run(read_all(*stream)), "still here");
}

TEST_F(QuicSessionTest, S11_a_dial_ends_with_the_stream_that_asked_for_it) {
  portal.tuning.tcp_dial_timeout = seconds(60);
  portal.tuning.quic_max_streams = 1;
  portal.start();
  const test::SilentTarget silent;
  const auto connection = authenticated();
  auto stream = request(*connection, "127.0.0.1:" + std::to_string(silent.port()), "data");
  io.run_until([&] { return portal.counter("TCPS") == 1; });
  // RESET_STREAM and STOP_SENDING.
  stream.reset();
  io.run_until([&] { return portal.logged("given up by the client"); });
  io.run_until([&] { return portal.counter("TCPS") == 0 && connection->stream_credit() == 1; });
  // Who has only said all that he had to say waits for the answer.
  auto patient = request(*connection, "127.0.0.1:" + std::to_string(silent.port()), "data");
  patient->finish_now();
  io.run_until([&] { return portal.counter("TCPS") == 1; });
  pass(milliseconds(300));
  EXPECT_EQ(portal.counter("TCPS"), 1);
  EXPECT_EQ(connection->stream_credit(), 0U);
}

TEST_F(QuicSessionTest, S11_1_a_name_server_that_takes_four_seconds_is_waited_for) {
  const auto late = Clock::now() + seconds(4);
  const test::ScriptedDns dns([late](const test::DnsQuestion& question) {
    std::this_thread::sleep_until(late);
    test::DnsAnswer answer;
    if (question.type == test::kTypeA) {
      answer.records.push_back({question.name, test::kTypeA, 60, "127.0.0.1"});
    }
    return std::vector{answer};
  });
  portal.options.resolver.servers = dns.server();
  portal.start();
  Echo echo(io);
  const auto connection = authenticated();
  const std::string port = echo.tcp().substr(echo.tcp().find(':'));
  const auto stream = request(*connection, "slow.test" + port, "hello");
  stream->finish_now();
  EXPECT_EQ(*io.run(read_all(*stream)), "hello");
  EXPECT_GE(Clock::now(), late);
}

TEST_F(QuicSessionTest, S11_3_the_grace_after_a_FIN_is_absolute_and_ends_the_stream_alone) {
  portal.tuning.tcp_read_timeout = milliseconds(500);
  portal.start();
  Echo echo(io);
  asio::ip::tcp::acceptor acceptor(io.context(), {asio::ip::address_v4::loopback(), 0});
  const auto connection = authenticated();
  const auto stream =
      request(*connection, "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()));
  stream->finish_now();
  // A target that neither ends nor says anything.
  auto target = acceptor.accept();
  const auto since = Clock::now();
  const auto rest = io.run(read_all(*stream));
  EXPECT_GE(Clock::now() - since, milliseconds(400));
  if (rest) {
    EXPECT_EQ(*rest, "");
  }
  io.run_until([&] { return portal.counter("TCPS") == 0; });
  const auto other = request(*connection, echo.tcp(), "x");
  other->finish_now();
  EXPECT_EQ(*io.run(read_all(*other)), "x");
}

TEST_F(QuicSessionTest, S17_a_stop_closes_with_code_0) {
  portal.start();
  const auto connection = authenticated();
  const auto waiting = connect();
  portal.portal().request_stop();
  io.run(connection->ended());
  io.run(waiting->ended());
  for (const auto& ended : {connection, waiting}) {
    EXPECT_EQ(ended->ending()->cause, quic::Errc::closed_by_peer);
    EXPECT_EQ(ended->ending()->code, 0U);
    EXPECT_EQ(ended->ending()->reason, "");
  }
}

TEST_F(QuicSessionTest, S15_a_handshake_timeout_of_zero_denies_everybody) {
  portal.tuning.handshake_timeout = milliseconds(0);
  portal.start();
  const auto connection = begin();
  io.run(connection->ended());
  EXPECT_EQ(connection->ending()->cause, quic::Errc::closed_by_peer);
  EXPECT_EQ(connection->ending()->code, 1U);
  EXPECT_EQ(connection->ending()->reason, "access denied");
}

TEST_F(QuicSessionTest, S15_the_longest_durations_that_can_be_written_serve_and_stop) {
  portal.tuning = test::longest_tuning();
  portal.start();
  Echo echo(io);
  const auto connection = authenticated();
  auto stream = *io.run(connection->open_stream());
  ASSERT_TRUE(io.run(stream->write_all(bytes_of(portal.request(echo.tcp()) + "x"))).has_value());
  stream->finish_now();
  EXPECT_EQ(*io.run(read_all(*stream)), "x");
  using Type = protocol::DatagramType;
  ASSERT_TRUE(connection->send_datagram(octets(datagram(Type::request, 7, echo.udp(), "abc")), {}));
  ASSERT_TRUE(io.run(connection->wait_for_datagram()));
  const auto waiting = connect();
  client->request_stop();
  io.run(client->drain(seconds(2)));
  client.reset();
  EXPECT_TRUE(portal.stop());
}

TEST_F(QuicSessionTest, S17_sessions_of_a_core_that_is_stuck_are_left_behind) {
  test::CertificateFiles files;
  files.use_in(portal);
  portal.options.cores = 1;
  portal.tuning.shutdown_timeout = milliseconds(200);
  portal.start();
  Echo echo(io);
  const auto connection = authenticated();
  auto stream = *io.run(connection->open_stream());
  ASSERT_TRUE(io.run(stream->write_all(bytes_of(portal.request(echo.tcp()) + "x"))).has_value());
  using Type = protocol::DatagramType;
  ASSERT_TRUE(connection->send_datagram(octets(datagram(Type::request, 7, echo.udp(), "abc")), {}));
  ASSERT_TRUE(io.run(connection->wait_for_datagram()));
  files.hang();
  const auto tls = quic::ClientTls::make({.kind = quic::Trust::Kind::anybody});
  const auto last = client->connect(portal.portal().udp_endpoints().at(0), *tls, "localhost");
  ASSERT_TRUE(last);
  io.run_until([&] { return files.somebody_waits(); });
  const auto begin = Clock::now();
  EXPECT_FALSE(portal.stop());
  EXPECT_LT(Clock::now() - begin, milliseconds(200 + 1500 + 2000));
  EXPECT_TRUE(portal.logged("left behind"));
  files.release();
  io.run_until([] { return test::count_threads("portal-0") == 0; });
}

TEST_F(QuicSessionTest, S9_a_flood_of_refusals_is_counted_and_not_recorded_one_by_one) {
  const std::string refused = "too many connections without authentication";
  portal.tuning.handshake_timeout = seconds(60);
  portal.start();
  std::vector<std::shared_ptr<quic::Connection>> waiting;
  for (int i = 0; i < 32; ++i) waiting.push_back(connect());
  const auto begin = Clock::now();
  const auto tls = *quic::ClientTls::make({.kind = quic::Trust::Kind::anybody});
  for (int i = 0; i < 40; ++i) {
    waiting.push_back(*client->connect(portal.portal().udp_endpoints().at(0), tls, "localhost"));
  }
  // They try again and again, so the count of those that were passed over shows with the next one.
  io.run_until([&] { return portal.logged("more refusals are not recorded"); });
  const std::int64_t records = portal.times_logged(refused);
  EXPECT_GE(records, 10);
  EXPECT_LE(records, 11 + (Clock::now() - begin) / seconds(1));
}

}  // namespace
}  // namespace portunus::portal::server
