#include "server/app/process.hpp"

#include <csignal>

#include "common/base/descriptor_limit.hpp"

namespace portunus::server::app {

void prepare_process() {
  std::signal(SIGPIPE, SIG_IGN);
  // Where the system refuses, accept pauses when the limit is reached.
  (void)raise_descriptor_limit();
}

}  // namespace portunus::server::app
