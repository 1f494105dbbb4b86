#include "standalone/root_command.hpp"

int main(int argc, char** argv) {
  return portunus::standalone::run(argc, argv);
}
