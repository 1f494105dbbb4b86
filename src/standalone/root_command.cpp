#include "standalone/root_command.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <variant>

#include "common/base/standard_streams.hpp"
#include "common/log/logger.hpp"
#include "standalone/command_line.hpp"
#include "standalone/daemon.hpp"
#include "standalone/standalone_config.hpp"
#include "standalone/stats_command.hpp"

namespace portunus::standalone {
namespace {

constexpr int kConfigError = 2;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::filesystem::path config_path(const DaemonCommand& command) {
  if (command.config) return *command.config;
  const std::string from_environment = variable("PORTUNUS_STANDALONE_CONFIG");
  return from_environment.empty() ? "./portunus.toml" : from_environment;
}

int refuse(const std::string& text) {
  std::fputs(("error: " + text + "\n").c_str(), stderr);
  return kConfigError;
}

int run_daemon_command(const DaemonCommand& command) {
  // Until it is caught, which says so.
  std::signal(SIGHUP, SIG_IGN);
  auto config = load_config(config_path(command));
  if (!config) return refuse(config.error());
  if (command.no_stats) config->stats.enabled = false;
  if (command.stats_socket) config->stats.socket_path = *command.stats_socket;
  if (const auto sound = check_stats(config->stats); !sound) return refuse(sound.error());
  if (command.check) {
    std::fputs("ok\n", stdout);
    return 0;
  }
  // An unknown format is json.
  const bool pretty = command.log_format.value_or(config->log_format) == "pretty";
  log::start({.format = pretty ? log::Format::compact : log::Format::json,
              .filter = command.log_level.value_or(config->log_level),
              .program = log::Target::standalone});
  const int exit_code = run_daemon(std::move(*config), variable("PORTUNUS_DISABLE_SPLICE").empty());
  log::stop();
  return exit_code;
}

}  // namespace

int run(int argc, const char* const* argv) {
  claim_standard_streams();
  const auto command = parse_command_line(argc, argv, std::cout, std::cerr);
  if (const auto* done = std::get_if<Done>(&command)) return done->exit_code;
  std::signal(SIGPIPE, SIG_IGN);
  if (const auto* stats = std::get_if<StatsCommand>(&command)) return run_stats_command(*stats);
  return run_daemon_command(std::get<DaemonCommand>(command));
}

}  // namespace portunus::standalone
