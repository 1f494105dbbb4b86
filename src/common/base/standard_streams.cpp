#include "common/base/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace portunus {

void claim_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) == -1) {
      [[maybe_unused]] const int lowest_free = ::open("/dev/null", O_RDWR);
    }
  }
}

}  // namespace portunus
