#include "portal/tls/socket_bio.hpp"

#include <openssl/bio.h>
#include <sys/socket.h>

#include <cerrno>

namespace portunus::portal::tls {
namespace {

/// Alerts and answers to key updates, which are all there is to hold.
constexpr std::size_t kMostHeld = 4096;

SocketIo& io_of(BIO* bio) {
  return *static_cast<SocketIo*>(BIO_get_data(bio));
}

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

int read_socket(BIO* bio, char* into, int size) {
  SocketIo& io = io_of(bio);
  BIO_clear_retry_flags(bio);
  if (io.drained) {
    BIO_set_retry_read(bio);
    return -1;
  }
  ssize_t n;
  do {
    n = ::recv(io.fd, into, static_cast<std::size_t>(size), 0);
  } while (n < 0 && errno == EINTR);
  if (n > 0) {
    io.drained = n < size;
    return static_cast<int>(n);
  }
  if (n == 0) {
    io.eof = true;
    return 0;
  }
  if (would_block(errno)) {
    io.drained = true;
    BIO_set_retry_read(bio);
  } else {
    io.error = errno;
  }
  return -1;
}

int write_socket(BIO* bio, const char* from, int size) {
  SocketIo& io = io_of(bio);
  BIO_clear_retry_flags(bio);
  if (io.holding) {
    if (io.held.size() + static_cast<std::size_t>(size) > kMostHeld) {
      io.error = ENOBUFS;
      return -1;
    }
    io.held.append(from, static_cast<std::size_t>(size));
    return size;
  }
  ssize_t n;
  do {
    n = ::send(io.fd, from, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  if (n >= 0) return static_cast<int>(n);
  if (would_block(errno)) {
    BIO_set_retry_write(bio);
  } else {
    io.error = errno;
  }
  return -1;
}

/// Nothing is buffered, so a flush is done. Saying nothing about BIO_CTRL_EOF keeps the library
/// from sending an alert to a peer that has gone.
long control_socket(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* make_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
  if (method == nullptr) return nullptr;
  BIO_meth_set_read(method, read_socket);
  BIO_meth_set_write(method, write_socket);
  BIO_meth_set_ctrl(method, control_socket);
  return method;
}

}  // namespace

bio_st* new_socket_bio(SocketIo& io) {
  // One for the process; the library keeps pointers to it.
  static BIO_METHOD* const method = make_method();
  BIO* bio = method == nullptr ? nullptr : BIO_new(method);
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, &io);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace portunus::portal::tls
