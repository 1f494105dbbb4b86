#include "common/base/standard_streams.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace portunus {
namespace {

std::string target_of(int fd) {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), ignored).string();
}

/// In a process of its own, whose streams may be closed.
int in_child(bool (*holds)()) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(holds() ? 0 : 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(StandardStreams, closed_ones_become_dev_null_and_open_ones_stay) {
  EXPECT_EQ(in_child([] {
              const std::string before = target_of(STDERR_FILENO);
              ::close(STDIN_FILENO);
              ::close(STDOUT_FILENO);
              claim_standard_streams();
              return target_of(STDIN_FILENO) == "/dev/null" &&
                     target_of(STDOUT_FILENO) == "/dev/null" && target_of(STDERR_FILENO) == before;
            }),
            0);
  EXPECT_EQ(in_child([] {
              ::close(STDERR_FILENO);
              claim_standard_streams();
              return target_of(STDERR_FILENO) == "/dev/null";
            }),
            0);
}

}  // namespace
}  // namespace portunus
