#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>

#include "common/crypto/certificate.hpp"
#include "server/control/control_core.hpp"
#include "tests/server/control/domain_thread.hpp"
#include "tests/server/control/fake_ports.hpp"
#include "tests/support/fake_edge.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {

/// One pair for all tests of a program: making one is slow under the sanitizers.
inline const crypto::CertificatePair& test_pair() {
  static const crypto::CertificatePair pair = *crypto::generate_self_signed(
      "localhost", "", SystemClock::instance().now() - std::chrono::hours(1));
  return pair;
}

/// The control port on a loopback socket with scripted services, its domain on a thread of its
/// own. Whatever lives there is touched through on_domain().
class ControlRig {
 public:
  struct Settings {
    server::control::HubSettings hub = {};
    std::chrono::milliseconds keepalive_interval{20'000};
    std::chrono::milliseconds keepalive_timeout{10'000};
  };
  ControlRig() : ControlRig(Settings()) {}
  explicit ControlRig(Settings settings)
      : core(domain.executor(), authority, feed, limits, SystemClock::instance(), settings.hub,
             {.listen = {*net::IpAddress::parse("127.0.0.1"), 0},
              .pair = test_pair(),
              .keepalive_interval = settings.keepalive_interval,
              .keepalive_timeout = settings.keepalive_timeout}) {
    const auto bound = core.start();
    EXPECT_TRUE(bound) << (bound ? "" : bound.error().text());
    if (bound) endpoint = *bound;
    domain.start();
  }
  ~ControlRig() {
    stop(std::chrono::seconds(10));
    domain.join();
    // Whatever a test did: nothing is left behind.
    EXPECT_EQ(core.hub().session_count(), 0U);
    EXPECT_EQ(core.hub().stream_count(), 0U);
    EXPECT_EQ(feed.begun, feed.ended);
  }

  void stop(std::chrono::steady_clock::duration grace) { domain.run(core.stop(grace)); }

  template <class F>
  auto on_domain(F f) {
    return domain(std::move(f));
  }
  template <class F>
  bool eventually(F condition) {
    return domain.eventually(std::move(condition));
  }

  FakeEdge::Options edge(std::string authorization = "Bearer one") const {
    return {.target = endpoint.text(),
            .certificate_pem = test_pair().certificate_pem,
            .authorization = std::move(authorization)};
  }
  server::control::SessionHub& hub() { return core.hub(); }

  LogCapture log;
  DomainThread domain;
  FakeAuthority authority;
  FakeFeed feed;
  FakeLimits limits;
  server::control::ControlCore core;
  net::Endpoint endpoint;

  static constexpr const char* kOne = "01J0000000000000000000000A";
  static constexpr const char* kTwo = "01J0000000000000000000000B";
};

}  // namespace portunus::test
