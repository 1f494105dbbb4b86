#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "common/crypto/random.hpp"
#include "portal/relay/errc.hpp"
#include "tests/portal/quic/rig.hpp"
#include "tests/portal/support/nat.hpp"

namespace portunus::portal::quic {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string random_text(std::size_t size) {
  std::string text(size, '\0');
  crypto::random_bytes({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  return text;
}

std::span<const std::uint8_t> octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(PortalQuic, S8_handshake_after_a_retry_with_the_pin) {
  Rig rig;
  const auto tls = ClientTls::make({.kind = Trust::Kind::pin, .pin = rig.pin});
  const auto client = rig.connect(*tls);
  EXPECT_TRUE(rig.io.run(client->handshake()).has_value());
  ASSERT_EQ(rig.handler.asked.size(), 1U);
  EXPECT_EQ(rig.handler.asked[0], client->local_endpoint());
}

TEST(PortalQuic, S18_another_pin_or_an_untrusted_root_ends_the_handshake) {
  Rig rig;
  const auto wrong = ClientTls::make({.kind = Trust::Kind::pin, .pin = std::string(64, '0')});
  const auto first = rig.io.run(rig.connect(*wrong)->handshake());
  ASSERT_FALSE(first.has_value());
  EXPECT_EQ(first.error(), make_error_code(Errc::handshake_failed));
  const auto system = ClientTls::make({.kind = Trust::Kind::system});
  EXPECT_FALSE(rig.io.run(rig.connect(*system)->handshake()).has_value());
}

TEST(PortalQuic, S8_another_alpn_fails_with_0x178) {
  Rig::Options options;
  options.client.alpn = "h3";
  Rig rig(options);
  const auto client = rig.connect();
  ASSERT_FALSE(rig.io.run(client->handshake()).has_value());
  EXPECT_EQ(client->ending()->cause, Errc::handshake_failed);
  EXPECT_EQ(client->ending()->code, 0x178U);
}

TEST(PortalQuic, S9_who_is_not_admitted_hears_nothing) {
  Rig::Options options;
  options.client.handshake_timeout = milliseconds(400);
  Rig rig(options);
  rig.handler.admits = false;
  const auto client = rig.connect();
  ASSERT_FALSE(rig.io.run(client->handshake()).has_value());
  EXPECT_EQ(client->ending()->cause, Errc::handshake_timeout);
  EXPECT_GE(rig.handler.asked.size(), 1U);
  EXPECT_EQ(rig.servers[0]->connections(), 0U);
}

TEST(PortalQuic, S8_one_stream_before_and_as_many_as_configured_after_authentication) {
  Rig rig;
  auto [client, server] = rig.establish();
  auto first = rig.io.run(client->open_stream());
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(client->stream_credit(), 0U);
  ASSERT_TRUE(rig.io.run((*first)->write_all(bytes_of("x"))).has_value());
  (*first)->finish_now();
  auto accepted = rig.io.run(server->accept_stream());
  ASSERT_TRUE(accepted.has_value());
  EXPECT_EQ((*accepted)->id(), 0);
  EXPECT_EQ(*rig.io.run(read_all(**accepted)), "x");
  (*accepted)->finish_now();
  EXPECT_EQ(*rig.io.run(read_all(**first)), "");
  // Finished on both sides, and still no room for another one.
  EXPECT_EQ(client->stream_credit(), 0U);
  accepted->reset();
  server->raise_credit(3);
  rig.io.run_until([&] { return client->stream_credit() == 3; });
}

TEST(PortalQuic, S8_MAX_STREAMS_advances_as_streams_finish) {
  Rig rig;
  auto [client, server] = rig.establish();
  server->raise_credit(2);
  for (int round = 0; round < 20; ++round) {
    auto mine = rig.io.run(client->open_stream());
    ASSERT_TRUE(mine.has_value());
    (*mine)->finish_now();
    auto theirs = rig.io.run(server->accept_stream());
    ASSERT_TRUE(theirs.has_value());
    (*theirs)->finish_now();
    EXPECT_EQ(*rig.io.run(read_all(**mine)), "");
    EXPECT_EQ(*rig.io.run(read_all(**theirs)), "");
  }
  rig.io.run_until([&] { return client->stream_credit() == 2; });
}

async::Task<bool> write_and_finish(Stream& stream, const std::string& text) {
  const auto written = co_await stream.write_all(bytes_of(text));
  stream.finish_now();
  co_return written.has_value();
}

async::Task<bool> given_up(Stream& stream) {
  co_await stream.given_up();
  co_return true;
}

TEST(PortalQuic, S8_bulk_both_ways_arrives_whole) {
  Rig rig;
  auto [client, server] = rig.establish();
  server->raise_credit(16);
  auto mine = rig.io.run(client->open_stream());
  const std::string up = random_text(20 * 1024 * 1024);
  const std::string down = random_text(20 * 1024 * 1024);
  auto sent_up = rig.io.start(write_and_finish(**mine, up));
  auto theirs = rig.io.run(server->accept_stream());
  auto sent_down = rig.io.start(write_and_finish(**theirs, down));
  auto got_up = rig.io.start(read_all(**theirs));
  auto got_down = rig.io.start(read_all(**mine));
  rig.io.run_until([&] { return got_up->has_value() && got_down->has_value(); }, seconds(60));
  EXPECT_TRUE(***got_up == up);
  EXPECT_TRUE(***got_down == down);
  EXPECT_TRUE(**sent_up && **sent_down);
}

TEST(PortalQuic, S8_a_reader_who_does_not_read_holds_the_writer_back) {
  Rig rig;
  auto [client, server] = rig.establish();
  auto mine = rig.io.run(client->open_stream());
  // 64 KiB of the connection's credit before authentication, and what the writer may have unsent.
  const std::string text = random_text(1024 * 1024);
  auto sent = rig.io.start(write_and_finish(**mine, text));
  auto theirs = rig.io.run(server->accept_stream());
  std::array<std::byte, 1024> little;
  ASSERT_TRUE(rig.io.run((*theirs)->read_some(little)).has_value());
  const auto until = std::chrono::steady_clock::now() + milliseconds(200);
  rig.io.run_until([&] { return std::chrono::steady_clock::now() > until; });
  EXPECT_FALSE(sent->has_value());
  const std::string rest = *rig.io.run(read_all(**theirs));
  EXPECT_EQ(rest.size() + little.size(), text.size());
  rig.io.run_until([&] { return sent->has_value(); });
}

TEST(PortalQuic, S8_own_unacknowledged_data_is_bounded) {
  Rig::Options options;
  options.server.unacknowledged = 100'000;
  options.server.stream_window = 1024;
  Rig rig(options);
  auto [client, server] = rig.establish();
  server->raise_credit(4);
  auto a = rig.io.run(client->open_stream());
  ASSERT_TRUE(rig.io.run((*a)->write_all(bytes_of("x"))).has_value());
  auto b = rig.io.run(server->accept_stream());
  // The client reads nothing, but it acknowledges: only what it has not yet allowed is kept.
  const std::string text = random_text(20'000'000);
  auto sent = rig.io.start(write_and_finish(**b, text));
  const auto got = rig.io.run(read_all(**a));
  EXPECT_TRUE(*got == text);
  EXPECT_TRUE(**sent);
}

TEST(PortalQuic, S11_reset_and_stop_are_errors_and_FIN_is_the_end) {
  Rig rig;
  auto [client, server] = rig.establish();
  server->raise_credit(8);
  auto mine = rig.io.run(client->open_stream());
  ASSERT_TRUE(rig.io.run((*mine)->write_all(bytes_of("abc"))).has_value());
  auto theirs = rig.io.run(server->accept_stream());
  std::array<std::byte, 16> buffer;
  ASSERT_EQ(*rig.io.run((*theirs)->read_some(buffer)), 3U);
  (*mine)->abort();
  const auto read = rig.io.run((*theirs)->read_some(buffer));
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error(), make_error_code(Errc::stream_reset));
  // STOP_SENDING arrived as well.
  rig.io.run_until([&] {
    const auto written = rig.io.run((*theirs)->write_all(bytes_of("x")));
    return !written && written.error() == make_error_code(Errc::stream_stopped);
  });
  const auto mine_read = rig.io.run((*mine)->read_some(buffer));
  EXPECT_EQ(mine_read.error(), relay::make_error_code(relay::Errc::aborted));
}

TEST(PortalQuic, S8_a_stream_that_is_still_served_keeps_its_place) {
  Rig rig;
  auto [client, server] = rig.establish();
  server->raise_credit(1);
  auto mine = rig.io.run(client->open_stream());
  ASSERT_TRUE(rig.io.run((*mine)->write_all(bytes_of("x"))).has_value());
  auto theirs = rig.io.run(server->accept_stream());
  mine->reset();
  // Both halves have ended on the wire.
  rig.io.run(given_up(**theirs));
  rig.io.run_until([&] { return !rig.io.run((*theirs)->write_all(bytes_of("x"))).has_value(); });
  const auto until = std::chrono::steady_clock::now() + milliseconds(200);
  rig.io.run_until([&] { return std::chrono::steady_clock::now() > until; });
  EXPECT_EQ(client->stream_credit(), 0U);
  theirs->reset();
  rig.io.run_until([&] { return client->stream_credit() == 1; });
}

TEST(PortalQuic, S11_a_stream_is_given_up_by_a_reset_or_by_its_end_and_a_refusal) {
  Rig rig;
  auto [client, server] = rig.establish();
  server->raise_credit(8);
  const auto open = [&] {
    auto stream = *rig.io.run(client->open_stream());
    EXPECT_TRUE(rig.io.run(stream->write_all(bytes_of("x"))).has_value());
    return stream;
  };
  auto reset = open();
  auto of_reset = *rig.io.run(server->accept_stream());
  auto refused = open();
  auto of_refused = *rig.io.run(server->accept_stream());
  // Who only ends his half waits for the answer, and who only refuses it may have more to say.
  refused->finish_now();
  refused->stop_reading();
  auto ended = open();
  auto of_ended = *rig.io.run(server->accept_stream());
  ended->finish_now();
  auto deaf = open();
  auto of_deaf = *rig.io.run(server->accept_stream());
  deaf->stop_reading();
  const auto gave_up = [&](Stream& stream) { return rig.io.start(given_up(stream)); };
  const auto first = gave_up(*of_reset);
  const auto second = gave_up(*of_refused);
  const auto third = gave_up(*of_ended);
  const auto fourth = gave_up(*of_deaf);
  reset->abort();
  rig.io.run_until([&] { return first->has_value() && second->has_value(); });
  const auto until = std::chrono::steady_clock::now() + milliseconds(200);
  rig.io.run_until([&] { return std::chrono::steady_clock::now() > until; });
  EXPECT_FALSE(third->has_value() || fourth->has_value());
  client->close(0, {});
  rig.io.run_until([&] { return third->has_value() && fourth->has_value(); });
}

TEST(PortalQuic, S11_a_stream_that_is_dropped_unfinished_frees_its_place) {
  Rig rig;
  auto [client, server] = rig.establish();
  server->raise_credit(1);
  for (int i = 0; i < 5; ++i) {
    auto mine = rig.io.run(client->open_stream());
    ASSERT_TRUE(mine.has_value());
    ASSERT_TRUE(rig.io.run((*mine)->write_all(bytes_of(random_text(1000)))).has_value());
    auto theirs = rig.io.run(server->accept_stream());
    ASSERT_TRUE(theirs.has_value());
    theirs->reset();
    mine->reset();
  }
}

TEST(PortalQuic, S9_the_close_code_and_its_reason_reach_the_client) {
  Rig rig;
  auto [client, server] = rig.establish();
  server->close(1, "access denied");
  rig.io.run(client->ended());
  EXPECT_EQ(client->ending()->cause, Errc::closed_by_peer);
  EXPECT_EQ(client->ending()->code, 1U);
  EXPECT_EQ(client->ending()->reason, "access denied");
}

TEST(PortalQuic, S17_a_stop_closes_with_code_0_and_no_reason) {
  Rig rig;
  auto [client, server] = rig.establish();
  rig.servers[0]->request_stop();
  EXPECT_TRUE(rig.io.run(rig.servers[0]->drain(seconds(5))));
  rig.io.run(client->ended());
  EXPECT_EQ(client->ending()->cause, Errc::closed_by_peer);
  EXPECT_EQ(client->ending()->code, 0U);
  EXPECT_EQ(client->ending()->reason, "");
  EXPECT_EQ(server->ending()->cause, Errc::closed);
}

TEST(PortalQuic, S8_DATAGRAMs_arrive_in_both_directions) {
  Rig rig;
  auto [client, server] = rig.establish();
  EXPECT_GE(client->max_datagram(), 1100U);
  ASSERT_TRUE(client->send_datagram(octets("head"), octets("payload")));
  ASSERT_TRUE(rig.io.run(server->wait_for_datagram()));
  EXPECT_TRUE(std::ranges::equal(*server->front_datagram(), octets("headpayload")));
  server->pop_datagram();
  ASSERT_TRUE(server->send_datagram(octets("answer"), {}));
  ASSERT_TRUE(rig.io.run(client->wait_for_datagram()));
  EXPECT_TRUE(std::ranges::equal(*client->front_datagram(), octets("answer")));
  const std::string large(client->max_datagram() + 1, 'x');
  EXPECT_FALSE(client->send_datagram(octets(large), {}));
  EXPECT_TRUE(client->send_datagram(octets(large).subspan(1), {}));
  ASSERT_TRUE(rig.io.run(server->wait_for_datagram()));
}

TEST(PortalQuic, S8_the_idle_timeout_is_the_smaller_of_both) {
  Rig::Options options;
  options.server.idle_timeout = milliseconds(300);
  Rig rig(options);
  const auto begin = std::chrono::steady_clock::now();
  auto [client, server] = rig.establish();
  rig.io.run(server->ended());
  rig.io.run(client->ended());
  EXPECT_EQ(server->ending()->cause, Errc::idle_timeout);
  EXPECT_EQ(client->ending()->cause, Errc::idle_timeout);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(200));
}

TEST(PortalQuic, S18_a_client_that_wants_to_stay_sends_its_own_PING) {
  Rig::Options options;
  options.server.idle_timeout = milliseconds(1500);  // nobody is held up for so long
  options.client.keep_alive = milliseconds(200);
  Rig rig(options);
  auto [client, server] = rig.establish();
  const auto until = std::chrono::steady_clock::now() + milliseconds(2500);
  rig.io.run_until([&] { return std::chrono::steady_clock::now() > until; });
  EXPECT_FALSE(server->ending().has_value());
}

TEST(PortalQuic, S8_packets_at_the_wrong_core_reach_their_connection) {
  Rig rig({.workers = 2, .crossed = true});
  for (int i = 0; i < 8; ++i) {
    auto [client, server] = rig.establish();
    auto mine = rig.io.run(client->open_stream());
    const std::string text = random_text(30'000);
    auto sent = rig.io.start(write_and_finish(**mine, text));
    auto theirs = rig.io.run(server->accept_stream());
    EXPECT_TRUE(*rig.io.run(read_all(**theirs)) == text);
  }
  EXPECT_GT(rig.servers[0]->handed_over() + rig.servers[1]->handed_over(), 100U);
}

TEST(PortalQuic, S8_the_kernel_brings_packets_to_their_core) {
  Rig rig({.workers = 2});
  for (int i = 0; i < 8; ++i) rig.establish();
  EXPECT_EQ(rig.servers[0]->handed_over() + rig.servers[1]->handed_over(), 0U);
}

TEST(PortalQuic, S8_a_client_may_move_to_another_address_and_its_core_keeps_it) {
  Rig rig({.workers = 2});
  test::Nat nat(rig.io.context(), rig.remote);
  rig.remote = nat.front();
  for (int i = 0; i < 4; ++i) {
    auto [client, server] = rig.establish();
    server->raise_credit(4);
    const net::Endpoint before = server->remote_endpoint();
    auto mine = rig.io.run(client->open_stream());
    ASSERT_TRUE(rig.io.run((*mine)->write_all(bytes_of("x"))).has_value());
    auto theirs = rig.io.run(server->accept_stream());
    const std::string text = random_text(2 * 1024 * 1024);
    auto got_up = rig.io.start(read_all(**theirs));
    auto got_down = rig.io.start(read_all(**mine));
    auto sent_up = rig.io.start(write_and_finish(**mine, text));
    auto sent_down = rig.io.start(write_and_finish(**theirs, text));
    // In the middle of it, and once more when all is quiet.
    const auto passed = nat.to_clients().bytes;
    rig.io.run_until([&] { return nat.to_clients().bytes > passed + text.size() / 4; });
    nat.rebind();
    rig.io.run_until([&] { return got_up->has_value() && got_down->has_value(); }, seconds(30));
    EXPECT_TRUE(***got_up == "x" + text);
    EXPECT_TRUE(***got_down == text);
    EXPECT_NE(server->remote_endpoint(), before);
    nat.rebind();
    ASSERT_TRUE(client->send_datagram(octets("from elsewhere"), {}));
    ASSERT_TRUE(rig.io.run(server->wait_for_datagram()));
    server->pop_datagram();
    ASSERT_TRUE(server->send_datagram(octets("found"), {}));
    ASSERT_TRUE(rig.io.run(client->wait_for_datagram()));
  }
  EXPECT_EQ(rig.servers[0]->handed_over() + rig.servers[1]->handed_over(), 0U);
}

TEST(PortalQuic, S8_the_path_is_tried_with_payloads_of_1472) {
  Rig rig;
  auto [client, server] = rig.establish();
  // Beside the DATAGRAM a packet holds its header, its frame's and the AEAD's tag.
  rig.io.run_until([&] { return client->max_datagram() > 1400 && server->max_datagram() > 1400; });
  EXPECT_LT(server->max_datagram(), 1472U);
}

TEST(PortalQuic, S8_IPv6) {
  Rig rig({.address = *net::IpAddress::parse("::1")});
  auto [client, server] = rig.establish();
  EXPECT_TRUE(server->remote_endpoint().address().is_v6());
}

TEST(PortalQuic, S8_a_second_portal_on_the_port_fails_to_bind) {
  Rig rig({.workers = 2});
  const auto second = bind_sockets(std::span(&rig.remote, 1), 2);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, std::errc::address_in_use);
}

}  // namespace
}  // namespace portunus::portal::quic
