#include "portal/config/tuning.hpp"

#include <algorithm>
#include <optional>

#include "portal/config/decimal.hpp"
#include "portal/config/duration.hpp"
#include "portal/config/errc.hpp"

namespace portunus::portal::config {
namespace {

using portunus::config::Environment;

void read_count(const Environment& environment, const char* name, std::uint32_t& value) {
  const auto number = parse_i32(environment(name).value_or(""));
  if (number && *number >= 0) value = static_cast<std::uint32_t>(*number);
}

std::optional<LongDuration> duration(const Environment& environment, const char* name) {
  const auto text = environment(name);
  return text ? parse_duration(*text) : std::nullopt;
}

void read_duration(const Environment& environment, const char* name,
                   std::chrono::nanoseconds& value) {
  if (const auto given = duration(environment, name)) value = given->bounded();
}

/// More than 2^62 - 1 ms, the largest number of QUIC (RFC 9000 section 16).
bool is_beyond_quic(const LongDuration& given) {
  constexpr std::uint64_t kMost = (std::uint64_t{1} << 62U) - 1;
  if (given.seconds != kMost / 1000) return given.seconds > kMost / 1000;
  return given.nanoseconds / 1'000'000 > kMost % 1000;
}

}  // namespace

Tuning read_tuning(const Environment& environment) {
  Tuning tuning;
  read_count(environment, "NOW_QUIC_MAX_STREAMS", tuning.quic_max_streams);
  read_count(environment, "NOW_TCP_DATA_BUF_SIZE", tuning.tcp_buffer_size);
  read_count(environment, "NOW_UDP_DATA_BUF_SIZE", tuning.udp_buffer_size);
  read_duration(environment, "NOW_TCP_DIAL_TIMEOUT", tuning.tcp_dial_timeout);
  read_duration(environment, "NOW_UDP_DIAL_TIMEOUT", tuning.udp_dial_timeout);
  read_duration(environment, "NOW_TCP_READ_TIMEOUT", tuning.tcp_read_timeout);
  if (const auto idle = duration(environment, "NOW_UDP_IDLE_TIMEOUT")) {
    tuning.udp_idle_timeout = idle->bounded();
    tuning.udp_idle_beyond_quic = is_beyond_quic(*idle);
  }
  read_duration(environment, "NOW_HANDSHAKE_TIMEOUT", tuning.handshake_timeout);
  read_duration(environment, "NOW_REPORT_INTERVAL", tuning.report_interval);
  read_duration(environment, "NOW_SHUTDOWN_TIMEOUT", tuning.shutdown_timeout);
  read_duration(environment, "NOW_RELOAD_INTERVAL", tuning.reload_interval);
  // NOW_SERVICE_COOLDOWN is reserved: no value of it is wrong, and none means anything.
  if (tuning.report_interval == std::chrono::nanoseconds(0)) {
    tuning.report_interval = std::chrono::milliseconds(1);
  }
  return tuning;
}

Result<> check_transport_limits(const Tuning& tuning) {
  if (tuning.udp_idle_beyond_quic) return fail(Errc::idle_timeout_long);
  return {};
}

}  // namespace portunus::portal::config
