#include "common/completion/completion.hpp"

#include <CLI/App.hpp>

#include "common/completion/command_tree.hpp"

namespace portunus::completion {

void add_shell_operand(CLI::App& command, Shell& into) {
  const auto read = [&into](const std::string& text) {
    if (text != "bash" && text != "zsh") {
      throw CLI::ValidationError("shell", "neither bash nor zsh: " + text);
    }
    into = text == "bash" ? Shell::bash : Shell::zsh;
  };
  command.add_option_function<std::string>("shell", read, "The shell that is to complete")
      ->required()
      ->type_name("bash|zsh");
}

std::string script(const CLI::App& root, Shell shell) {
  const Command program = describe(root);
  switch (shell) {
    case Shell::bash:
      return bash_script(program);
    case Shell::zsh:
      return zsh_script(program);
  }
  return {};
}

}  // namespace portunus::completion
