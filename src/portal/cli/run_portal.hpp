#pragma once

namespace portunus::portal::cli {

/// The whole program (portal 1): only the first argument decides what it does. The exit status.
int run_portal(int argc, char** argv);

}  // namespace portunus::portal::cli
