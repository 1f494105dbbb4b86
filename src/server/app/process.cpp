#include "server/app/process.hpp"

#include <sys/resource.h>

#include <csignal>

namespace portunus::server::app {

void prepare_process() {
  std::signal(SIGPIPE, SIG_IGN);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  // Where the system refuses, the limit stays as it was and accept pauses when it is reached.
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace portunus::server::app
