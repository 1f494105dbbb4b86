#include "standalone/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>
#include <vector>

#include "common/base/version.hpp"
#include "common/completion/completion.hpp"

namespace portunus::standalone {
namespace {

constexpr int kUsageError = 2;

/// The words behind the program's name, last first, as CLI11 wants them. `help` and `help stats`
/// are other spellings of `--help` and `stats --help`; what else follows `help` is refused.
std::vector<std::string> reversed_words(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words == std::vector<std::string>{"help"}) words = {"--help"};
  for (const char* topic : {"stats", "completion", "help"}) {
    if (words == std::vector<std::string>{"help", topic}) words = {topic, "--help"};
  }
  std::ranges::reverse(words);
  return words;
}

/// Flags that work before and after the subcommand.
void add_global_flags(CLI::App& app, DaemonCommand& daemon) {
  app.add_option("-c,--config", daemon.config,
                 "Configuration; default: $PORTUNUS_STANDALONE_CONFIG, then ./portunus.toml")
      ->type_name("<path>");
  app.add_option("--log-level", daemon.log_level, "Log filter, instead of the file's")
      ->type_name("<filter>");
  app.add_option("--log-format", daemon.log_format, "Instead of the file's")
      ->type_name("<json|pretty>");
}

}  // namespace

std::variant<DaemonCommand, StatsCommand, Done> parse_command_line(int argc,
                                                                   const char* const* argv,
                                                                   std::ostream& out,
                                                                   std::ostream& err) {
  DaemonCommand daemon;
  StatsCommand stats;
  CLI::App app("Standalone TCP/UDP forwarder: rules from one TOML file, no server",
               "portunus-standalone");
  app.set_help_flag("-h,--help", "Print this help");
  app.set_version_flag("-V,--version", "portunus-standalone " + std::string(kVersion));
  add_global_flags(app, daemon);
  auto* check = app.add_flag("--check", daemon.check, "Validate the configuration and exit")
                    ->disable_flag_override();
  auto* no_stats = app.add_flag("--no-stats", daemon.no_stats, "Run without the stats socket")
                       ->disable_flag_override();
  auto* stats_socket =
      app.add_option("--stats-socket", daemon.stats_socket, "Path of the stats socket")
          ->type_name("<path>");

  CLI::App* stats_command = app.add_subcommand("stats", "Show what a running daemon forwards");
  stats_command->fallthrough();
  stats_command
      ->add_option("--socket", stats.socket, "Stats socket; default /run/portunus/standalone.sock")
      ->type_name("<path>");
  stats_command->add_flag("--once", stats.once, "Print one snapshot as JSON and exit")
      ->disable_flag_override();
  stats_command->footer(
      "Examples:\n"
      "  portunus-standalone stats\n"
      "  portunus-standalone stats --once --socket /run/portunus/standalone.sock");
  auto shell = completion::Shell::bash;
  CLI::App* completion_command =
      app.add_subcommand("completion", "Print what makes a shell complete this program's words");
  completion::add_shell_operand(*completion_command, shell);
  completion_command->footer("Example:\n  source <(portunus-standalone completion bash)");
  CLI::App* help_command = app.add_subcommand("help", "Print the help of a command");
  help_command->footer("Example:\n  portunus-standalone help stats");
  // Last, because a new subcommand takes its parent's over.
  app.footer(
      "Examples:\n"
      "  portunus-standalone --config /etc/portunus/standalone.toml\n"
      "  portunus-standalone --config portunus.toml --check");

  try {
    app.parse(reversed_words(argc, argv));
    const bool daemon_flag = check->count() + no_stats->count() + stats_socket->count() > 0;
    if (!app.get_subcommands().empty() && daemon_flag) {
      throw CLI::ExtrasError({"the flags of the daemon do not go with a command"});
    }
  } catch (const CLI::CallForVersion& asked) {
    // Which falls through to the program from behind a command, where it has no place.
    if (app.get_subcommands().empty()) return Done{app.exit(asked, out, err)};
    app.exit(CLI::ExtrasError({"--version goes without a command"}), out, err);
    return Done{kUsageError};
  } catch (const CLI::ParseError& error) {
    return Done{app.exit(error, out, err) == 0 ? 0 : kUsageError};
  }
  if (completion_command->parsed()) {
    out << completion::script(app, shell);
    return Done{0};
  }
  if (help_command->parsed()) {
    // Behind global flags; asked for its help, `app` would answer with that of this command.
    out << app.get_formatter()->make_help(&app, app.get_name(), CLI::AppFormatMode::Normal);
    return Done{0};
  }
  if (stats_command->parsed()) return stats;
  return daemon;
}

}  // namespace portunus::standalone
