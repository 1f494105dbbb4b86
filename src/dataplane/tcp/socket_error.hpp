#pragma once

#include <sys/socket.h>

#include <string>
#include <system_error>

namespace portunus::dataplane::tcp {

inline std::string error_text(int error) {
  return std::system_category().message(error);
}

/// What the kernel holds against the socket (SO_ERROR), which this clears; 0 when nothing.
inline int pending_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

}  // namespace portunus::dataplane::tcp
