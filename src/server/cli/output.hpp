#pragma once

#include <cstddef>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

namespace portunus::server::cli {

/// Text of a peer or an operator as it may stand on a terminal: control characters are escaped, so
/// that it can neither forge a line nor drive the terminal.
std::string printable(std::string_view text);

/// "error: <text>\n", with the text made printable.
void print_error(std::ostream& err, std::string_view text);

/// One line of a table: each cell left-aligned in its width, counted in Unicode scalar values,
/// never cut, with one space between (cli-and-config 1). A cell without a width is not padded.
void print_row(std::ostream& out, std::span<const std::size_t> widths,
               std::initializer_list<std::string_view> cells);

}  // namespace portunus::server::cli
