#pragma once

#include <string>
#include <vector>

namespace portunus::command_line {

/// The words behind a program's name as CLI11 is to get them: last first, and `--flag=value` as
/// two. It would take the next word when the value is empty, and would let a switch have one.
std::vector<std::string> for_parser(std::vector<std::string> words);

}  // namespace portunus::command_line
