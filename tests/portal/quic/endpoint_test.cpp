#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/udp.hpp>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "tests/portal/quic/rig.hpp"

namespace portunus::portal::quic {
namespace {

namespace asio = boost::asio;
using Bytes = std::vector<std::uint8_t>;

/// Somebody who speaks no QUIC, but knows what a header looks like.
class Stranger {
 public:
  explicit Stranger(Rig& rig)
      : rig_(rig),
        socket_(rig.io.context(), {asio::ip::make_address(rig.remote.address().text()), 0}) {
    socket_.connect({asio::ip::make_address(rig.remote.address().text()), rig.remote.port()});
    socket_.non_blocking(true);
  }
  void send(const Bytes& bytes) { socket_.send(asio::buffer(bytes)); }
  /// What comes within a moment of a loop that has nothing else to do.
  std::vector<Bytes> answers(std::chrono::milliseconds moment = std::chrono::milliseconds(100)) {
    std::vector<Bytes> all;
    const auto until = std::chrono::steady_clock::now() + moment;
    rig_.io.run_until([&] {
      std::array<std::uint8_t, 2048> buffer;
      boost::system::error_code ec;
      for (std::size_t n = 0; (n = socket_.receive(asio::buffer(buffer), 0, ec), !ec);) {
        all.emplace_back(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(n));
      }
      return std::chrono::steady_clock::now() > until;
    });
    return all;
  }

 private:
  Rig& rig_;
  asio::ip::udp::socket socket_;
};

Bytes long_header(std::uint32_t version, const Bytes& token, std::size_t size) {
  Bytes out{0xc0};
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(version >> shift));
  }
  out.push_back(8);
  for (std::uint8_t i = 0; i < 8; ++i) out.push_back(static_cast<std::uint8_t>(0xa0 + i));
  out.push_back(8);
  for (std::uint8_t i = 0; i < 8; ++i) out.push_back(static_cast<std::uint8_t>(0xb0 + i));
  out.push_back(static_cast<std::uint8_t>(token.size()));
  out.insert(out.end(), token.begin(), token.end());
  const std::size_t rest = size > out.size() + 2 ? size - out.size() - 2 : 0;
  out.push_back(static_cast<std::uint8_t>(0x40 | (rest >> 8)));
  out.push_back(static_cast<std::uint8_t>(rest));
  out.resize(size, 0x55);
  return out;
}

bool is_retry(const Bytes& packet) {
  return packet.size() > 5 && (packet[0] & 0xf0) == 0xf0 && packet[4] == 1;
}

TEST(PortalQuicEndpoint, S9_a_flood_of_Initials_is_answered_by_Retry_and_holds_no_slot) {
  Rig rig;
  Stranger stranger(rig);
  const Bytes initial = long_header(1, {}, 1200);
  std::size_t retries = 0;
  for (int i = 0; i < 10 || (retries < 200 && i < 200); ++i) {
    for (int n = 0; n < 20 && i < 10; ++n) stranger.send(initial);
    for (const Bytes& answer : stranger.answers(std::chrono::milliseconds(20))) {
      EXPECT_TRUE(is_retry(answer));
      EXPECT_LT(answer.size(), initial.size());
      ++retries;
    }
  }
  EXPECT_EQ(retries, 200U);
  EXPECT_TRUE(rig.handler.asked.empty());
  EXPECT_EQ(rig.servers[0]->connections(), 0U);
}

TEST(PortalQuicEndpoint, S8_an_unknown_token_counts_as_absent) {
  Rig rig;
  Stranger stranger(rig);
  stranger.send(long_header(1, Bytes(60, 0x77), 1200));
  const auto answers = stranger.answers();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_TRUE(is_retry(answers[0]));
  EXPECT_TRUE(rig.handler.asked.empty());
}

TEST(PortalQuicEndpoint, S8_another_version_is_told_of_version_1) {
  Rig rig;
  Stranger stranger(rig);
  stranger.send(long_header(0x1a2a3a4a, {}, 1200));
  const auto answers = stranger.answers();
  ASSERT_EQ(answers.size(), 1U);
  const Bytes& answer = answers[0];
  ASSERT_GE(answer.size(), 5U);
  EXPECT_TRUE(std::all_of(answer.begin() + 1, answer.begin() + 5, [](auto b) { return b == 0; }));
  EXPECT_TRUE(std::equal(answer.end() - 4, answer.end(), Bytes{0, 0, 0, 1}.begin()));
  stranger.send(long_header(0x1a2a3a4a, {}, 600));
  // An Initial of version 2, which the library would speak.
  Bytes second = long_header(0x6b3343cf, {}, 1200);
  second[0] = 0xd0;
  stranger.send(second);
  const auto more = stranger.answers();
  ASSERT_EQ(more.size(), 1U);
  EXPECT_TRUE(std::equal(more[0].begin() + 1, more[0].end(), answer.begin() + 1));
  second.resize(1199);
  stranger.send(second);
  stranger.send(long_header(1, {}, 1199));
  EXPECT_TRUE(stranger.answers().empty());
}

TEST(PortalQuicEndpoint, S8_an_unknown_short_packet_is_answered_by_a_smaller_reset_or_not_at_all) {
  Rig rig;
  Stranger stranger(rig);
  Bytes packet(100, 0x5a);
  packet[0] = 0x40;
  stranger.send(packet);
  auto answers = stranger.answers();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_LT(answers[0].size(), packet.size());
  EXPECT_GE(answers[0].size(), 21U);
  packet.resize(21);
  stranger.send(packet);
  EXPECT_TRUE(stranger.answers().empty());
}

TEST(PortalQuicEndpoint, S8_malformed_payloads_disturb_nobody) {
  Rig rig;
  auto [client, server] = rig.establish();
  Stranger stranger(rig);
  std::mt19937 random(11);
  for (int i = 0; i < 500; ++i) {
    Bytes packet(i < 100 ? static_cast<std::size_t>(i) : random() % 1500);
    for (auto& byte : packet) byte = static_cast<std::uint8_t>(random());
    stranger.send(packet);
    if (i % 50 == 0) rig.io.poll();
  }
  stranger.answers(std::chrono::milliseconds(20));
  auto stream = rig.io.run(client->open_stream());
  ASSERT_TRUE(stream.has_value());
  ASSERT_TRUE(rig.io.run((*stream)->write_all(bytes_of("still here"))).has_value());
  (*stream)->finish_now();
  auto theirs = rig.io.run(server->accept_stream());
  EXPECT_EQ(*rig.io.run(read_all(**theirs)), "still here");
}

TEST(PortalQuicEndpoint, S8_who_was_forgotten_learns_it_by_a_reset) {
  Rig rig;
  auto [client, server] = rig.establish();
  // The server loses all it knows, without a word.
  rig.servers[0]->abandon();
  auto stream = rig.io.run(client->open_stream());
  ASSERT_TRUE(stream.has_value());
  ASSERT_TRUE(rig.io.run((*stream)->write_all(bytes_of(std::string(2000, 'x')))).has_value());
  rig.io.run(client->ended());
  EXPECT_EQ(client->ending()->cause, Errc::stateless_reset);
}

}  // namespace
}  // namespace portunus::portal::quic
