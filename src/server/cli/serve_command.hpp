#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace portunus::server::cli {

/// What `serve` takes from its command line.
struct ServeOptions {
  std::optional<std::filesystem::path> data_dir;
  /// Present but empty = no seed, and the environment is not asked either.
  std::optional<std::string> advertised_endpoint;
  std::optional<std::string> operator_http_listen;
};

/// Runs the control plane until a stop signal; the process's exit code. The caller has not started
/// the logger: its format stands in server.toml. Writes its last stderr line itself.
int run_serve(const ServeOptions& options);

}  // namespace portunus::server::cli
