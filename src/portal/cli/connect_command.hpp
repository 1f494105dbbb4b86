#pragma once

namespace portunus::portal::cli {

/// `portunus-portal connect …`, the arguments as the program got them. The exit status.
int run_connect(int argc, char** argv);

}  // namespace portunus::portal::cli
