#include "portal/log/record.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <ctime>
#include <iterator>

#include "common/base/version.hpp"

namespace portunus::portal::log {
namespace {

std::string_view colour_of(Level level) {
  switch (level) {
    case Level::debug:
      return "\x1b[34m";
    case Level::info:
      return "\x1b[32m";
    case Level::warn:
      return "\x1b[33m";
    case Level::error:
      return "\x1b[31m";
    case Level::event:
      return "\x1b[36m";
    case Level::none:
      return "";
  }
  return "";
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      fmt::format_to(std::back_inserter(out), "%{:02X}", byte);
    } else {
      out.push_back(c);
    }
  }
}

std::string read_platform() {
  utsname names{};
  return uname(&names) == 0 ? fmt::format("linux/{}", names.machine) : "linux/unknown";
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_escaped(out, text);
  return out;
}

std::string format_record(std::chrono::system_clock::time_point when, Level level,
                          std::string_view message, bool colour) {
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(when).time_since_epoch().count();
  const std::time_t seconds = static_cast<std::time_t>(whole / 1000);
  std::tm local{};
  localtime_r(&seconds, &local);
  std::string out;
  out.reserve(48 + message.size());
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}  {}{}{}  ",
                 local.tm_year + 1900, local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min,
                 local.tm_sec, whole % 1000, colour ? colour_of(level) : "", level_name(level),
                 colour ? "\x1b[0m" : "");
  append_escaped(out, message);
  out.push_back('\n');
  return out;
}

std::string format_start_failure(std::string_view error) {
  return fmt::format("{}-{} {} pid={} error={}\n", kProgram, kVersion, platform(), getpid(),
                     escaped(error));
}

std::string_view platform() {
  static const std::string text = read_platform();
  return text;
}

}  // namespace portunus::portal::log
