#include "portal/config/duration.hpp"

#include <algorithm>
#include <initializer_list>

namespace portunus::portal::config {
namespace {

struct Unit {
  std::initializer_list<std::string_view> names;
  std::uint64_t seconds;
  std::uint32_t nanoseconds;  ///< of a unit below a second
};

constexpr std::uint32_t kSecond = 1'000'000'000;

const Unit* find_unit(std::string_view name) {
  static const Unit kUnits[] = {
      {{"ns", "nsec", "nanos"}, 0, 1},
      {{"us", "usec", "\xc2\xb5s"}, 0, 1'000},
      {{"ms", "msec", "millis"}, 0, 1'000'000},
      {{"s", "sec", "secs", "second", "seconds"}, 1, 0},
      {{"m", "min", "mins", "minute", "minutes"}, 60, 0},
      {{"h", "hr", "hrs", "hour", "hours"}, 3600, 0},
      {{"d", "day", "days"}, 86400, 0},
      {{"w", "wk", "wks", "week", "weeks"}, 604800, 0},
      {{"M", "month", "months"}, 2630016, 0},
      {{"y", "yr", "yrs", "year", "years"}, 31557600, 0},
  };
  for (const Unit& unit : kUnits) {
    if (std::ranges::find(unit.names, name) != unit.names.end()) return &unit;
  }
  return nullptr;
}

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n\v\f"), text.size()));
}

/// Nothing without a digit or above 64 bits.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    const auto digit = static_cast<unsigned>(text[digits++] - '0');
    if (__builtin_mul_overflow(number, 10U, &number) ||
        __builtin_add_overflow(number, digit, &number)) {
      return std::nullopt;
    }
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

const Unit* take_unit(std::string_view& text) {
  const std::size_t size = std::min(text.find_first_of("0123456789 \t\r\n\v\f"), text.size());
  const Unit* const unit = find_unit(text.substr(0, size));
  text.remove_prefix(size);
  return unit;
}

/// False on an overflow.
bool add(LongDuration& sum, std::uint64_t count, const Unit& unit) {
  std::uint64_t seconds = 0;
  std::uint64_t nanoseconds = 0;
  if (unit.nanoseconds == 0) {
    if (__builtin_mul_overflow(count, unit.seconds, &seconds)) return false;
  } else {
    const std::uint64_t per_second = kSecond / unit.nanoseconds;
    seconds = count / per_second;
    nanoseconds = count % per_second * unit.nanoseconds;
  }
  nanoseconds += sum.nanoseconds;
  sum.nanoseconds = static_cast<std::uint32_t>(nanoseconds % kSecond);
  return !__builtin_add_overflow(sum.seconds, seconds, &sum.seconds) &&
         !__builtin_add_overflow(sum.seconds, nanoseconds / kSecond, &sum.seconds);
}

}  // namespace

std::chrono::nanoseconds LongDuration::bounded() const {
  constexpr std::uint64_t kHundredYears = std::uint64_t{100} * 31557600;
  if (seconds >= kHundredYears) return std::chrono::seconds(kHundredYears);
  return std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanoseconds);
}

std::optional<LongDuration> parse_duration(std::string_view text) {
  if (text == "0") return LongDuration{};
  LongDuration sum;
  skip_blanks(text);
  do {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    skip_blanks(text);
    const Unit* const unit = take_unit(text);
    if (unit == nullptr || !add(sum, *number, *unit)) return std::nullopt;
    skip_blanks(text);
  } while (!text.empty());
  return sum;
}

}  // namespace portunus::portal::config
