#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace portunus::standalone {

enum class Style : std::uint8_t { plain, bar, bold, dim, selected, good, warn, bad, in, out };

/// A screen to draw on: a grid of characters with a style each, one column per code point. Drawing
/// outside of it is cut off.
class Canvas {
 public:
  struct Cell {
    std::string text = " ";  ///< one code point, UTF-8
    Style style = Style::plain;
    friend bool operator==(const Cell&, const Cell&) = default;
  };

  Canvas(int width, int height);

  int width() const { return width_; }
  int height() const { return height_; }
  /// Writes text that is UTF-8; control characters show as "?". At most `room` columns, when given.
  /// The column behind the text.
  int put(int x, int y, std::string_view text, Style style = Style::plain, int room = -1);
  void fill(int x, int y, int width, Style style);
  /// A frame with its title in the upper edge.
  void box(int x, int y, int width, int height, std::string_view title);

  const Cell& at(int x, int y) const;
  /// A row's text without its styles, for tests.
  std::string row(int y) const;

 private:
  int width_;
  int height_;
  std::vector<Cell> cells_;
};

/// The number of code points.
int columns(std::string_view text);

}  // namespace portunus::standalone
