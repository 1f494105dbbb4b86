#pragma once

#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace portunus::completion {

/// A shell that completes our command lines.
enum class Shell : std::uint8_t { bash, zsh };

/// The operand of a `completion` command: "bash" or "zsh", anything else is a usage error.
void add_shell_operand(CLI::App& command, Shell& into);

/// What the shell must read to complete the program: every command and flag of the description,
/// files where a value's type is a path, and the words of a type such as "text|json". Complete once
/// the description is.
std::string script(const CLI::App& root, Shell shell);

}  // namespace portunus::completion
