#include "client/cli/enroll_command.hpp"

#include <cstdio>
#include <string>

#include "client/agent/bundle_file.hpp"
#include "client/app/app.hpp"
#include "common/log/logger.hpp"

namespace portunus::client::cli {

int run_enroll_command(const EnrollCommand& command) {
  const std::string path =
      command.out.value_or(agent::BundlePlaces::from_environment().enroll_target());
  const auto enrolled = app::run_enroll(command.uri, path);
  if (!enrolled) {
    const std::string text = enrolled.error().text();
    std::fputs(("error: " + text + "\n").c_str(), stderr);
    log::log(log::Event::enrollment_failed, {{"error", text}});
    return 1;
  }
  std::fputs((path + "\n").c_str(), stdout);
  return 0;
}

}  // namespace portunus::client::cli
