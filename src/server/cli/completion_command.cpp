#include <ostream>

#include "common/completion/completion.hpp"
#include "server/cli/arguments.hpp"
#include "server/cli/exit_codes.hpp"

namespace portunus::server::cli {

void add_completion_command(Commands& commands) {
  const auto shell = std::make_shared<completion::Shell>(completion::Shell::bash);
  const CLI::App& root = commands.root();
  CLI::App& app =
      commands.add("completion", "Print what makes a shell complete this program's words",
                   "Examples:\n"
                   "  source <(portunus-server completion bash)\n"
                   "  portunus-server completion zsh > ~/.zfunc/_portunus-server",
                   // The root outlives every action, and is complete when one runs.
                   [shell, &root](Context& context, const Globals&) {
                     context.out << completion::script(root, *shell);
                     return kExitOk;
                   });
  completion::add_shell_operand(app, *shell);
}

}  // namespace portunus::server::cli
