#include "standalone/rtt_prober.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "tests/support/eventually.hpp"

namespace portunus::standalone {
namespace {

using test::eventually;

std::vector<RttProber::Result> first_results(RttProber& prober) {
  std::vector<RttProber::Result> out;
  EXPECT_TRUE(eventually([&] {
    out = prober.take();
    return !out.empty();
  }));
  return out;
}

TEST(RttProber, measures_a_target_and_says_when_it_is_down) {
  boost::asio::io_context io;
  using Tcp = boost::asio::ip::tcp;
  const Tcp::acceptor listening(io, Tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  const std::uint16_t port = listening.local_endpoint().port();
  RttProber prober({{"1", "127.0.0.1", port}, {"2", "no name at all", 1}});
  bool up = false, down = false;
  for (const RttProber::Result& result : first_results(prober)) {
    up = up || (result.rule_id == "1" && result.rtt.state == Rtt::State::ok);
    down = down || (result.rule_id == "2" && result.rtt.state == Rtt::State::down);
  }
  EXPECT_TRUE(up);
  EXPECT_TRUE(down);
}

std::atomic<bool> asked{false}, let_go{false}, ended{false};

int hangs(const char*, const char*, const addrinfo*, addrinfo**) {
  asked = true;
  let_go.wait(false);
  ended = true;
  return EAI_AGAIN;
}

TEST(RttProber, does_not_wait_for_a_lookup_that_hangs) {
  {
    RttProber prober({{"1", "center.example", 1}}, &hangs);
    ASSERT_TRUE(eventually([] { return asked.load(); }));
  }
  EXPECT_FALSE(ended);
  let_go = true;
  let_go.notify_all();
  EXPECT_TRUE(eventually([] { return ended.load(); }));
}

}  // namespace
}  // namespace portunus::standalone
