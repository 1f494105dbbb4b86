#include "common/log/line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "common/base/rfc3339.hpp"
#include "common/base/utf8.hpp"

namespace portunus::log {
namespace {

constexpr std::size_t kMaxValueBytes = 1024;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

void append_escaped(std::string& out, std::string_view text) {
  std::size_t taken = 0;
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    if (taken + std::max<std::size_t>(length, 1) > kMaxValueBytes) return;
    taken += std::max<std::size_t>(length, 1);
    if (length == 0) {
      out += kReplacement;
      text.remove_prefix(1);
      continue;
    }
    const char c = text[0];
    if (length > 1) {
      out += text.substr(0, length);
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
    text.remove_prefix(length);
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

bool needs_quotes(std::string_view text) {
  return text.empty() || std::ranges::any_of(text, [](unsigned char c) {
           return c <= ' ' || c == '"' || c == '\\' || c == '=' || c >= 0x7F;
         });
}

bool names_a_secret(std::string_view key) {
  std::string lower(key);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower.contains("token") || lower.contains("secret") || lower.contains("private_key");
}

struct Appender {
  std::string& out;
  Format format;

  void operator()(std::string_view text) const {
    if (format == Format::compact && !needs_quotes(text)) {
      append_escaped(out, text);
    } else {
      append_quoted(out, text);
    }
  }
  void operator()(bool flag) const { out += flag ? "true" : "false"; }
  void operator()(std::uint64_t n) const { fmt::format_to(std::back_inserter(out), "{}", n); }
  void operator()(std::int64_t n) const { fmt::format_to(std::back_inserter(out), "{}", n); }
  void operator()(Value::List list) const {
    out += '[';
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i > 0) out += ',';
      (*this)(std::string_view(list[i]));
    }
    out += ']';
  }
};

std::string_view colour_of(Level level) {
  switch (level) {
    case Level::error:
      return "\x1b[31m";
    case Level::warn:
      return "\x1b[33m";
    case Level::info:
      return "\x1b[32m";
    case Level::debug:
    case Level::trace:
    case Level::off:
      return "\x1b[2m";
  }
  return "";
}

}  // namespace

std::string build_line(Format format, bool colour, SystemTime time, Level level,
                       std::string_view event, std::span<const Field> fields,
                       std::string* violation) {
  const bool json = format == Format::json;
  std::string out;
  out.reserve(256);
  const std::string timestamp = format_rfc3339_micros(time);
  if (json) {
    out += "{\"timestamp\":\"";
    out += timestamp;
    out += "\",\"level\":\"";
    out += level_name(level);
    out += "\",\"event\":\"";
    out += event;
    out += '"';
  } else {
    out += timestamp;
    out += ' ';
    if (colour) out += colour_of(level);
    out += level_name(level);
    if (colour) out += "\x1b[0m";
    out += ' ';
    out += event;
  }
  for (const Field& field : fields) {
    out += json ? ",\"" : " ";
    out += field.key;
    out += json ? "\":" : "=";
    if (names_a_secret(field.key)) {
      out += json ? "\"<redacted>\"" : "<redacted>";
      if (violation != nullptr) *violation = field.key;
      continue;
    }
    std::visit(Appender{out, format}, field.value.get());
  }
  if (json) out += '}';
  return out;
}

}  // namespace portunus::log
