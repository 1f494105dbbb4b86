#include "client/cli/root_command.hpp"

int main(int argc, char** argv) {
  return portunus::client::cli::run(argc, argv);
}
