// Portal contract 18 against servers that are no Portal.

#include "portal/client/quic_transport.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "dataplane/dns/resolver.hpp"
#include "portal/client/errc.hpp"
#include "tests/portal/quic/rig.hpp"

namespace portunus::portal::client {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

async::Task<bool> drained(QuicTransport& transport) {
  co_return co_await transport.drain(1s);
}

TEST(PortalQuicTransport, S18_a_server_that_grants_no_stream_is_given_up_in_time) {
  quic::Rig::Options options;
  options.server.initial_streams = 0;
  quic::Rig rig(options);
  dataplane::dns::Resolver resolver(rig.io.context(), {});
  ClientSettings settings;
  settings.key = Secret("secret");
  settings.host = "127.0.0.1";
  settings.port = rig.remote.port();
  settings.trust = Trust::pin;
  settings.pin = rig.pin;
  settings.connect_timeout = 500ms;
  // It answers PINGs, so neither its silence nor ours ends the connection.
  settings.quic_keep_alive = 50ms;
  auto transport = QuicTransport::create(rig.io.context(), resolver, std::move(settings));
  ASSERT_TRUE(transport) << transport.error().text();
  std::vector<Error> troubles;
  (*transport)->on_trouble([&](const Error& why) { troubles.push_back(why); });
  const auto begin = Clock::now();
  (*transport)->start();
  rig.io.run_until([&] { return troubles.size() == 2; });
  EXPECT_GE(Clock::now() - begin, 1000ms) << "each attempt has its time";
  for (const Error& why : troubles) {
    EXPECT_EQ(why.code, make_error_code(Errc::timed_out)) << why.text();
  }
  ASSERT_FALSE(rig.handler.connections.empty());
  rig.io.run_until([&] { return rig.handler.connections[0]->ending().has_value(); });
  EXPECT_EQ(rig.handler.connections[0]->ending()->cause, quic::Errc::closed_by_peer);
  EXPECT_FALSE((*transport)->connected());
  rig.io.run(drained(**transport));
  transport->reset();
  resolver.stop();
}

}  // namespace
}  // namespace portunus::portal::client
