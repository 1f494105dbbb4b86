#include "portal/cli/run_portal.hpp"

int main(int argc, char** argv) {
  return portunus::portal::cli::run_portal(argc, argv);
}
