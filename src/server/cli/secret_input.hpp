#pragma once

#include <expected>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

#include "common/base/secret.hpp"

namespace portunus::server::cli {

/// A secret, or why there is none.
using SecretInput = std::expected<Secret, std::string>;

/// Asks with `prompt`; the program passes ask_on_terminal.
using AskSecret = std::function<SecretInput(std::string_view prompt)>;

/// Writes the prompt to stderr and reads one line of the process's terminal, which echoes nothing
/// meanwhile. Signals keep working: the terminal is put in order before they take effect. What was
/// logged before stands above the prompt.
SecretInput ask_on_terminal(std::string_view prompt);

/// The first line of `in`, without CR and LF. An end without any byte is no line, nor is a null.
SecretInput read_secret_line(std::istream* in);

}  // namespace portunus::server::cli
