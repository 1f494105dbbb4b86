#include "portal/log/level.hpp"

namespace portunus::portal::log {

Level parse_level(std::string_view text) {
  if (text == "none") return Level::none;
  if (text == "debug") return Level::debug;
  if (text == "warn") return Level::warn;
  if (text == "error") return Level::error;
  if (text == "event") return Level::event;
  return Level::info;
}

std::string_view level_name(Level level) {
  switch (level) {
    case Level::debug:
      return "DEBUG";
    case Level::info:
      return "INFO";
    case Level::warn:
      return "WARN";
    case Level::error:
      return "ERROR";
    case Level::event:
      return "EVENT";
    case Level::none:
      return "NONE";
  }
  return "NONE";
}

}  // namespace portunus::portal::log
