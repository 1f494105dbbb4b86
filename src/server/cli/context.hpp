#pragma once

#include <chrono>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "common/base/clock.hpp"
#include "common/config/environment.hpp"
#include "server/cli/secret_input.hpp"
#include "server/cli/serve_command.hpp"

namespace portunus::server::cli {

/// How long a call of the API may take (cli-and-config 2.1).
struct ApiLimits {
  std::chrono::milliseconds connect{2'000};
  std::chrono::milliseconds total{10'000};
  std::chrono::milliseconds rule_total{30'000};
};

/// Everything a command touches outside its arguments, so that tests run commands without a
/// process. Results go to `out`, everything else to `err`.
struct Context {
  std::ostream& out;
  std::ostream& err;
  config::Environment environment;
  const Clock& clock = SystemClock::instance();
  ApiLimits limits{};
  /// What `serve` runs; the program passes run_serve.
  std::function<int(const ServeOptions&)> serve;
  /// Log to the process's stderr while a command runs. `serve` sees to its own logger, because
  /// only server.toml knows the format.
  bool log_to_stderr = false;
  /// Read only by commands that are told to; null where there is none.
  std::istream* in = nullptr;
  AskSecret ask_secret = ask_on_terminal;

  /// Empty means unset (cli-and-config 1.2).
  std::optional<std::string> variable(const char* name) const {
    return config::non_empty(environment, name);
  }
};

}  // namespace portunus::server::cli
