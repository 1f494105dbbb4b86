#include "portal/config/tuning.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "portal/config/errc.hpp"

namespace portunus::portal::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

Tuning tuning(std::map<std::string, std::string> variables) {
  return read_tuning([&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

struct Count {
  const char* name;
  std::uint32_t Tuning::* field;
  std::uint32_t normal;
};
constexpr Count kCounts[] = {
    {"NOW_QUIC_MAX_STREAMS", &Tuning::quic_max_streams, 1024},
    {"NOW_TCP_DATA_BUF_SIZE", &Tuning::tcp_buffer_size, 32768},
    {"NOW_UDP_DATA_BUF_SIZE", &Tuning::udp_buffer_size, 65536},
};

struct Span {
  const char* name;
  nanoseconds Tuning::* field;
  seconds normal;
};
constexpr Span kSpans[] = {
    {"NOW_TCP_DIAL_TIMEOUT", &Tuning::tcp_dial_timeout, seconds(15)},
    {"NOW_UDP_DIAL_TIMEOUT", &Tuning::udp_dial_timeout, seconds(15)},
    {"NOW_TCP_READ_TIMEOUT", &Tuning::tcp_read_timeout, seconds(30)},
    {"NOW_UDP_IDLE_TIMEOUT", &Tuning::udp_idle_timeout, seconds(120)},
    {"NOW_HANDSHAKE_TIMEOUT", &Tuning::handshake_timeout, seconds(5)},
    {"NOW_REPORT_INTERVAL", &Tuning::report_interval, seconds(5)},
    {"NOW_SHUTDOWN_TIMEOUT", &Tuning::shutdown_timeout, seconds(5)},
    {"NOW_RELOAD_INTERVAL", &Tuning::reload_interval, seconds(3600)},
};

TEST(PortalTuning, S15_counts) {
  for (const Count& row : kCounts) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(tuning({}).*row.field, row.normal);
    EXPECT_EQ((tuning({{row.name, "7"}}).*row.field), 7U);
    EXPECT_EQ((tuning({{row.name, "0"}}).*row.field), 0U);
    EXPECT_EQ((tuning({{row.name, "2147483647"}}).*row.field), 2147483647U);
    for (const char* bad : {"", "-1", " 7", "7 ", "2147483648", "1e3", "0x10", "seven", "7.0"}) {
      EXPECT_EQ((tuning({{row.name, bad}}).*row.field), row.normal) << bad;
    }
  }
}

TEST(PortalTuning, S15_durations) {
  for (const Span& row : kSpans) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(tuning({}).*row.field, row.normal);
    EXPECT_EQ((tuning({{row.name, "1m 500ms"}}).*row.field), milliseconds(60500));
    for (const char* bad : {"", "5", "-1s", "1.5s", "soon", "18446744073709551616s"}) {
      EXPECT_EQ((tuning({{row.name, bad}}).*row.field), row.normal) << bad;
    }
    // 0 is legal; only a report interval of 0 is raised.
    const bool report = std::string(row.name) == "NOW_REPORT_INTERVAL";
    EXPECT_EQ((tuning({{row.name, "0"}}).*row.field), milliseconds(report ? 1 : 0));
    EXPECT_EQ((tuning({{row.name, "0s"}}).*row.field), milliseconds(report ? 1 : 0));
  }
}

TEST(PortalTuning, S15_the_reserved_one_is_never_wrong) {
  EXPECT_EQ(tuning({{"NOW_SERVICE_COOLDOWN", "nonsense"}}).handshake_timeout, seconds(5));
}

TEST(PortalTuning, S15_an_idle_timeout_beyond_quic_fails_in_its_turn) {
  EXPECT_TRUE(check_transport_limits(tuning({})));
  EXPECT_TRUE(check_transport_limits(tuning({{"NOW_UDP_IDLE_TIMEOUT", "0"}})));
  // 2^62 - 1 = 4611686018427387903 ms.
  EXPECT_TRUE(check_transport_limits(tuning({{"NOW_UDP_IDLE_TIMEOUT", "4611686018427387903ms"}})));
  EXPECT_EQ(
      check_transport_limits(tuning({{"NOW_UDP_IDLE_TIMEOUT", "4611686018427387904ms"}})).error(),
      make_error_code(Errc::idle_timeout_long));
  EXPECT_EQ(check_transport_limits(tuning({{"NOW_UDP_IDLE_TIMEOUT", "4611686018427388s"}})).error(),
            make_error_code(Errc::idle_timeout_long));
  // Other variables have no such limit, and what cannot be read at all is the default.
  EXPECT_TRUE(check_transport_limits(tuning({{"NOW_TCP_READ_TIMEOUT", "18446744073709551615s"}})));
  EXPECT_TRUE(check_transport_limits(tuning({{"NOW_UDP_IDLE_TIMEOUT", "18446744073709551616s"}})));
}

}  // namespace
}  // namespace portunus::portal::config
