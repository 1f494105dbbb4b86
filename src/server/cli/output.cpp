#include "server/cli/output.hpp"

#include <algorithm>
#include <ostream>

namespace portunus::server::cli {
namespace {

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// The length of the control character at the start of `text`, 0 when there is none: C0, DEL, and
/// C1 in its two bytes of UTF-8.
std::size_t control_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x20 || first == 0x7F) return 1;
  if (first == 0xC2 && text.size() > 1 && static_cast<unsigned char>(text[1]) < 0xA0) return 2;
  return 0;
}

}  // namespace

std::string printable(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t control = control_length(text);
    if (control == 0) {
      out += text[0];
      text.remove_prefix(1);
      continue;
    }
    const auto value = static_cast<unsigned char>(text[control - 1]);
    out += "\\x";
    out += kDigits[value >> 4U];
    out += kDigits[value & 0xFU];
    text.remove_prefix(control);
  }
  return out;
}

void print_error(std::ostream& err, std::string_view text) {
  err << "error: " << printable(text) << '\n';
}

void print_row(std::ostream& out, std::span<const std::size_t> widths,
               std::initializer_list<std::string_view> cells) {
  std::string line;
  std::size_t column = 0;
  for (const std::string_view cell : cells) {
    if (column > 0) line += ' ';
    const std::string text = printable(cell);
    line += text;
    if (column < widths.size()) {
      const auto scalars =
          text.size() - static_cast<std::size_t>(std::ranges::count_if(text, continues));
      if (scalars < widths[column]) line.append(widths[column] - scalars, ' ');
    }
    ++column;
  }
  out << line << '\n';
}

}  // namespace portunus::server::cli
