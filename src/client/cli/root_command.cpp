#include "client/cli/root_command.hpp"

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <variant>

#include "client/cli/command_line.hpp"
#include "client/cli/enroll_command.hpp"
#include "client/cli/run_command.hpp"
#include "common/base/standard_streams.hpp"
#include "common/log/logger.hpp"

namespace portunus::client::cli {

int run(int argc, const char* const* argv) {
  claim_standard_streams();
  const auto command = parse_command_line(argc, argv, std::cout, std::cerr);
  if (const auto* done = std::get_if<Done>(&command)) return done->exit_code;

  std::signal(SIGPIPE, SIG_IGN);
  const char* filter = std::getenv("PORTUNUS_LOG");
  log::start({.format = log::Format::json,
              .filter = filter == nullptr ? "info" : filter,
              .program = log::Target::client});
  int exit_code = 0;
  if (const auto* enroll = std::get_if<EnrollCommand>(&command)) {
    exit_code = run_enroll_command(*enroll);
  } else {
    exit_code = run_agent_command(std::get<RunCommand>(command));
  }
  log::stop();
  return exit_code;
}

}  // namespace portunus::client::cli
