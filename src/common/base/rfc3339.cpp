#include "common/base/rfc3339.hpp"

#include <fmt/format.h>

#include <charconv>

namespace portunus {
namespace {

using std::chrono::microseconds;

std::string format_with(SystemTime t, int digits, std::string_view suffix) {
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{t - day};
  std::string out =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  time.hours().count(), time.minutes().count(), time.seconds().count());
  const auto micros = time.subseconds().count();
  if (digits == 3) out += fmt::format(".{:03}", micros / 1000);
  if (digits == 6) out += fmt::format(".{:06}", micros);
  out += suffix;
  return out;
}

/// Reads exactly `width` digits at `pos`.
bool take_number(std::string_view text, std::size_t& pos, std::size_t width, int& value) {
  if (pos + width > text.size()) return false;
  const char* first = text.data() + pos;
  for (std::size_t i = 0; i < width; ++i) {
    if (first[i] < '0' || first[i] > '9') return false;
  }
  std::from_chars(first, first + width, value);
  pos += width;
  return true;
}

bool take(std::string_view text, std::size_t& pos, char expected) {
  if (pos >= text.size()) return false;
  const char c = text[pos];
  const bool same = c == expected || (expected == 'T' && (c == 't' || c == ' '));
  if (same) ++pos;
  return same;
}

}  // namespace

std::string format_rfc3339_micros(SystemTime t) {
  return format_with(t, 6, "Z");
}

std::string format_rfc3339(SystemTime t, std::string_view suffix) {
  const auto micros = (t - std::chrono::floor<std::chrono::seconds>(t)).count();
  const int digits = micros == 0 ? 0 : micros % 1000 == 0 ? 3 : 6;
  return format_with(t, digits, suffix);
}

std::string format_rfc3339_seconds(SystemTime t) {
  return format_with(t, 0, "Z");
}

std::optional<SystemTime> parse_rfc3339(std::string_view text) {
  std::size_t pos = 0;
  int year, month, day, hour, minute, second;
  if (!take_number(text, pos, 4, year) || !take(text, pos, '-') ||
      !take_number(text, pos, 2, month) || !take(text, pos, '-') ||
      !take_number(text, pos, 2, day) || !take(text, pos, 'T') ||
      !take_number(text, pos, 2, hour) || !take(text, pos, ':') ||
      !take_number(text, pos, 2, minute) || !take(text, pos, ':') ||
      !take_number(text, pos, 2, second)) {
    return std::nullopt;
  }
  std::int64_t micros = 0;
  if (pos < text.size() && text[pos] == '.') {
    ++pos;
    std::size_t digits = 0;
    std::int64_t scale = 100'000;
    while (pos < text.size() && text[pos] >= '0' && text[pos] <= '9') {
      micros += (text[pos] - '0') * scale;
      scale /= 10;
      ++pos;
      ++digits;
    }
    if (digits == 0) return std::nullopt;
  }
  int offset_minutes = 0;
  if (pos < text.size() && (text[pos] == 'Z' || text[pos] == 'z')) {
    ++pos;
  } else if (pos < text.size() && (text[pos] == '+' || text[pos] == '-')) {
    const int sign = text[pos] == '-' ? -1 : 1;
    ++pos;
    int offset_hour, offset_minute;
    if (!take_number(text, pos, 2, offset_hour) || !take(text, pos, ':') ||
        !take_number(text, pos, 2, offset_minute) || offset_hour > 23 || offset_minute > 59) {
      return std::nullopt;
    }
    offset_minutes = sign * (offset_hour * 60 + offset_minute);
  } else {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  // A leap second is read as the second before it.
  if (pos != text.size() || !date.ok() || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  const std::chrono::sys_days days{date};
  return SystemTime(days.time_since_epoch()) + std::chrono::hours(hour) +
         std::chrono::minutes(minute - offset_minutes) +
         std::chrono::seconds(std::min(second, 59)) + microseconds(micros);
}

}  // namespace portunus
