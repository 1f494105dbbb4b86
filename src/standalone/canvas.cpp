#include "standalone/canvas.hpp"

#include <algorithm>

namespace portunus::standalone {
namespace {

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// The length of the first code point; a stray byte counts as one.
std::size_t first_length(std::string_view text) {
  std::size_t length = 1;
  while (length < text.size() && length < 4 && continues(text[length])) ++length;
  return length;
}

bool is_control(std::string_view point) {
  const auto byte = static_cast<unsigned char>(point.front());
  return point.size() == 1 && (byte < 0x20 || byte >= 0x7F);
}

}  // namespace

int columns(std::string_view text) {
  return static_cast<int>(std::ranges::count_if(text, [](char c) { return !continues(c); }));
}

Canvas::Canvas(int width, int height)
    : width_(std::max(width, 0)),
      height_(std::max(height, 0)),
      cells_(static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_)) {}

int Canvas::put(int x, int y, std::string_view text, Style style, int room) {
  const int end = room < 0 ? width_ : std::min(width_, x + room);
  while (!text.empty() && x < end) {
    const std::string_view point = text.substr(0, first_length(text));
    if (x >= 0 && y >= 0 && y < height_) {
      Cell& cell = cells_[static_cast<std::size_t>(y * width_ + x)];
      cell.text = is_control(point) ? "?" : point;
      cell.style = style;
    }
    ++x;
    text.remove_prefix(point.size());
  }
  return x;
}

void Canvas::fill(int x, int y, int width, Style style) {
  put(x, y, std::string(static_cast<std::size_t>(std::max(width, 0)), ' '), style);
}

void Canvas::box(int x, int y, int width, int height, std::string_view title) {
  if (width < 2 || height < 2) return;
  for (int i = 1; i < width - 1; ++i) {
    put(x + i, y, "─", Style::dim);
    put(x + i, y + height - 1, "─", Style::dim);
  }
  for (int i = 1; i < height - 1; ++i) {
    put(x, y + i, "│", Style::dim);
    put(x + width - 1, y + i, "│", Style::dim);
  }
  put(x, y, "┌", Style::dim);
  put(x + width - 1, y, "┐", Style::dim);
  put(x, y + height - 1, "└", Style::dim);
  put(x + width - 1, y + height - 1, "┘", Style::dim);
  put(x + 1, y, title, Style::bold, width - 2);
}

const Canvas::Cell& Canvas::at(int x, int y) const {
  return cells_[static_cast<std::size_t>(y * width_ + x)];
}

std::string Canvas::row(int y) const {
  std::string out;
  for (int x = 0; x < width_; ++x) out += at(x, y).text;
  return out;
}

}  // namespace portunus::standalone
