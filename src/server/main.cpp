#include "server/cli/root_command.hpp"

int main(int argc, char** argv) {
  return portunus::server::cli::run_program(argc, argv);
}
