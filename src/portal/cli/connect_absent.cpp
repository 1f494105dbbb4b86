#include <cstdio>

#include "portal/cli/connect_command.hpp"

namespace portunus::portal::cli {

int run_connect(int /*argc*/, char** /*argv*/) {
  std::fputs("error: this build has no client\n", stderr);
  return 2;
}

}  // namespace portunus::portal::cli
