#pragma once

#include <cstddef>
#include <string_view>

namespace portunus {

/// Length of the valid UTF-8 sequence at the start of `text`, which must not be empty; 0 when there
/// is none (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
std::size_t utf8_sequence_length(std::string_view text);

/// Valid UTF-8 from end to end.
bool is_utf8(std::string_view text);

}  // namespace portunus
