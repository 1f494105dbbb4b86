// Durations of the environment.

#include <chrono>
#include <string>
#include <string_view>

#include "portal/config/duration.hpp"
#include "portal/config/tuning.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace config = portunus::portal::config;

PORTUNUS_FUZZ_TARGET(portal_duration)(portunus::fuzz::Input input) {
  const std::string text(portunus::fuzz::text_of(input));
  const auto given = config::parse_duration(text);
  if (given) {
    FUZZ_CHECK(given->nanoseconds < 1'000'000'000);
    FUZZ_CHECK(given->bounded() >= std::chrono::nanoseconds(0));
    FUZZ_CHECK(given->bounded() <= std::chrono::hours(24 * 36525));
    FUZZ_CHECK(text.find_first_of("0123456789") != text.npos);
    FUZZ_CHECK(text.find_first_of(".+-") == text.npos);
    // In its smallest unit it says the same.
    const auto again = config::parse_duration(std::to_string(given->seconds) + "s " +
                                              std::to_string(given->nanoseconds) + "ns");
    FUZZ_CHECK(again == given);
  }
  const auto tuning = config::read_tuning([&](const char*) { return std::optional(text); });
  FUZZ_CHECK(tuning.report_interval > std::chrono::nanoseconds(0));
  FUZZ_CHECK(tuning.tcp_buffer_size <= 0x7fffffff);
  if (!given) FUZZ_CHECK(tuning.handshake_timeout == std::chrono::seconds(5));
  (void)config::check_transport_limits(tuning);
}
