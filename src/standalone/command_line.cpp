#include "standalone/command_line.hpp"

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "common/command_line/options.hpp"
#include "common/command_line/program.hpp"

namespace portunus::standalone {
namespace {

using command_line::add_switch;
using command_line::add_text;

/// Flags that work before and after the subcommand.
void add_global_flags(CLI::App& app, DaemonCommand& daemon) {
  add_text(app, "-c,--config",
           "Configuration; default: $PORTUNUS_STANDALONE_CONFIG, then ./portunus.toml",
           daemon.config)
      ->type_name("<path>");
  add_text(app, "--log-level", "Log filter, instead of the file's", daemon.log_level)
      ->type_name("<filter>");
  add_text(app, "--log-format", "Instead of the file's", daemon.log_format)
      ->type_name("<json|pretty>");
}

/// Those that go without a command.
std::vector<const CLI::Option*> add_daemon_flags(CLI::App& app, DaemonCommand& daemon) {
  return {
      add_switch(app, "--check", "Validate the configuration and exit", daemon.check),
      add_switch(app, "--no-stats", "Run without the stats socket", daemon.no_stats),
      add_text(app, "--stats-socket", "Path of the stats socket", daemon.stats_socket)
          ->type_name("<path>"),
  };
}

}  // namespace

std::variant<DaemonCommand, StatsCommand, Done> parse_command_line(int argc,
                                                                   const char* const* argv,
                                                                   std::ostream& out,
                                                                   std::ostream& err) {
  DaemonCommand daemon;
  StatsCommand stats;
  command_line::Program program(
      "portunus-standalone", "Standalone TCP/UDP forwarder: rules from one TOML file, no server");
  add_global_flags(program.app(), daemon);
  program.keep_from_commands("daemon", add_daemon_flags(program.app(), daemon));

  CLI::App& stats_command = program.add_command(
      "stats", "Show what a running daemon forwards",
      "Examples:\n"
      "  portunus-standalone stats\n"
      "  portunus-standalone stats --once --socket /run/portunus/standalone.sock");
  stats_command.fallthrough();
  add_text(stats_command, "--socket", "Stats socket; default /run/portunus/standalone.sock",
           stats.socket)
      ->type_name("<path>");
  add_switch(stats_command, "--once", "Print one snapshot as JSON and exit", stats.once);
  program.finish("stats",
                 "Examples:\n"
                 "  portunus-standalone --config /etc/portunus/standalone.toml\n"
                 "  portunus-standalone --config portunus.toml --check");

  if (const auto exit_code = program.parse(argc, argv, out, err)) return Done{*exit_code};
  if (stats_command.parsed()) return stats;
  return daemon;
}

}  // namespace portunus::standalone
