#pragma once

#include <cstddef>
#include <string>

struct bio_st;

namespace portunus::portal::tls {

/// Through which the library reads and writes a non-blocking socket: the library's own one raises
/// SIGPIPE, and makes it answer an end of the transport with an alert. The state stays with the
/// stream, which outlives the BIO; it does not own the socket.
struct SocketIo {
  int fd = -1;
  /// errno of the last call that failed for good, 0 before.
  int error = 0;
  /// The peer has ended the transport.
  bool eof = false;
  /// The last read took all that there was: the next one answers so without asking again, until the
  /// owner, who has waited for more, clears it.
  bool drained = false;
  /// What is written is kept in `held` in place of being sent.
  bool holding = false;
  std::string held;
};

/// For SSL_set_bio; null without memory. The library frees it.
bio_st* new_socket_bio(SocketIo& io);

}  // namespace portunus::portal::tls
