#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <sstream>

#include "common/base/standard_streams.hpp"
#include "server/cli/context.hpp"
#include "server/cli/exit_codes.hpp"
#include "server/cli/root_command.hpp"

namespace portunus::server::cli {
namespace {

bool write_all(std::FILE* stream, const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stream) == text.size() &&
         std::fflush(stream) == 0;
}

}  // namespace

int run_program(int argc, char** argv) {
  claim_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);
  // Collected, so that they follow the log lines of the command in one piece.
  std::ostringstream out;
  std::ostringstream err;
  Context context{.out = out,
                  .err = err,
                  .environment = config::process_environment,
                  .serve = run_serve,
                  .log_to_stderr = true,
                  .in = &std::cin};
  const int exit = run({argv + (argc > 0 ? 1 : 0), argv + argc}, context);
  // A result that nobody got, such as a token, is no success.
  const bool delivered = write_all(stdout, out.str());
  if (!delivered) err << "error: stdout: " << std::strerror(errno) << '\n';
  write_all(stderr, err.str());
  return delivered || exit != kExitOk ? exit : kExitFailure;
}

}  // namespace portunus::server::cli
