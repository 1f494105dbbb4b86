#pragma once

#include <expected>
#include <string>

namespace portunus::server::app {

inline constexpr int kExitFailure = 1;
inline constexpr int kExitStoreInUse = 75;    ///< EX_TEMPFAIL
inline constexpr int kExitSchemaTooNew = 78;  ///< EX_CONFIG

/// Why `serve` ends before it has begun (cli-and-config 2.3).
struct StartupFailure {
  int exit_code = kExitFailure;
  std::string text;  ///< what follows "serve failed: "
};

template <class T>
using Started = std::expected<T, StartupFailure>;

inline std::unexpected<StartupFailure> startup_failed(std::string text,
                                                      int exit_code = kExitFailure) {
  return std::unexpected(StartupFailure{exit_code, std::move(text)});
}

}  // namespace portunus::server::app
