#include "portal/tls/tls_stream.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "portal/relay/errc.hpp"
#include "portal/relay/socket_endpoints.hpp"
#include "portal/tls/errc.hpp"
#include "portal/tls/openssl_ptr.hpp"
#include "portal/tls/socket_bio.hpp"

namespace portunus::portal::tls {

namespace asio = boost::asio;
using async::kTuple;
using relay::Task;
using Socket = asio::ip::tcp::socket;

namespace {

/// What one call of the library may encrypt; it is repeated as it was when the socket is full.
constexpr std::size_t kWriteChunk = std::size_t{64} << 10;

enum class Want { nothing, read, write, end, failure };

}  // namespace

/// The library's object and the socket under it.
struct TlsStream::Connection {
  Connection(Socket s, ssl_st* library) : socket(std::move(s)), ssl(library) {
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    io.fd = socket.native_handle();
    BIO* bio = ssl ? new_socket_bio(io) : nullptr;
    if (bio != nullptr) {
      SSL_set_bio(ssl.get(), bio, bio);
    } else {
      ssl.reset();
    }
  }

  /// What the library waits for after a call that returned `result`.
  Want want(int result);
  Error failure_of(Errc kind);
  Error failure_of_handshake();
  /// Fills `into` as far as it goes without waiting.
  Want read(std::span<std::byte> into, std::size_t& got);
  /// The library has what the next read takes, which no event of the socket tells: bytes, or an end
  /// that came with those of the last read.
  bool holds_something() const {
    return SSL_has_pending(ssl.get()) == 1 ||
           (SSL_get_shutdown(ssl.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }
  /// True when the socket is ready, false when it was closed meanwhile.
  Task<bool> wait_for(Want what);

  Socket socket;
  /// Before `ssl`, which writes to it until it is gone.
  SocketIo io;
  SslPtr ssl;
  const ClientTlsSettings* client = nullptr;
  std::optional<Error> read_error;
  std::optional<Error> write_error;
  bool finished = false;
  bool aborted = false;
};

Want TlsStream::Connection::want(int result) {
  switch (SSL_get_error(ssl.get(), result)) {
    case SSL_ERROR_NONE:
      return Want::nothing;
    case SSL_ERROR_WANT_READ:
      return Want::read;
    case SSL_ERROR_WANT_WRITE:
      return Want::write;
    case SSL_ERROR_ZERO_RETURN:
      return Want::end;
    default:
      return Want::failure;
  }
}

Error TlsStream::Connection::failure_of(Errc kind) {
  const std::string detail = last_library_error();
  if (!detail.empty()) return {kind, detail};
  if (io.error != 0) return std::error_code(io.error, std::system_category());
  return relay::Errc::truncated;
}

Error TlsStream::Connection::failure_of_handshake() {
  const long verdict = SSL_get_verify_result(ssl.get());
  if (client != nullptr && verdict != X509_V_OK) {
    ERR_clear_error();
    return {Errc::untrusted, X509_verify_cert_error_string(verdict)};
  }
  return failure_of(Errc::handshake_failed);
}

Want TlsStream::Connection::read(std::span<std::byte> into, std::size_t& got) {
  got = 0;
  while (got < into.size()) {
    std::size_t n = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl.get(), into.data() + got, into.size() - got, &n);
    if (result == 1) {
      got += n;
      continue;
    }
    const Want next = want(result);
    if (next == Want::failure) read_error = failure_of(Errc::bad_record);
    return next;
  }
  return Want::nothing;
}

Task<bool> TlsStream::Connection::wait_for(Want what) {
  const auto side = what == Want::write ? Socket::wait_write : Socket::wait_read;
  const auto [ec] = co_await socket.async_wait(side, kTuple);
  if (what != Want::write) io.drained = false;
  co_return !ec && !aborted;
}

TlsStream::TlsStream(Socket socket, ServerContext& context)
    : connection_(std::make_unique<Connection>(std::move(socket), context.new_connection())),
      peer_(relay::peer_of(connection_->io.fd)),
      local_(relay::local_of(connection_->io.fd)) {}

TlsStream::TlsStream(Socket socket, ClientContext& context)
    : connection_(std::make_unique<Connection>(std::move(socket), context.new_connection())),
      peer_(relay::peer_of(connection_->io.fd)),
      local_(relay::local_of(connection_->io.fd)) {
  connection_->client = &context.settings();
}

TlsStream::~TlsStream() = default;

Task<Result<>> TlsStream::handshake() {
  Connection& c = *connection_;
  if (!c.ssl) co_return fail(relay::Errc::no_memory);
  while (!c.aborted) {
    ERR_clear_error();
    const int result = SSL_do_handshake(c.ssl.get());
    if (result == 1) break;
    const Want next = c.want(result);
    if (next == Want::failure || next == Want::end) {
      c.read_error = c.write_error = c.failure_of_handshake();
      co_return fail(*c.read_error);
    }
    const bool ready = co_await c.wait_for(next);
    if (!ready) break;
  }
  if (c.aborted || SSL_is_init_finished(c.ssl.get()) == 0) co_return fail(relay::Errc::aborted);
  if (c.client != nullptr) {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(c.ssl.get(), &name, &size);
    if (!std::ranges::equal(std::span(name, size), std::string_view(c.client->alpn))) {
      co_return fail(Errc::wrong_alpn);
    }
  }
  co_return Result<>{};
}

Task<void> TlsStream::readable() {
  Connection& c = *connection_;
  if (c.aborted || c.read_error || !c.io.drained || c.holds_something()) co_return;
  co_await c.wait_for(Want::read);
}

Task<Result<std::size_t>> TlsStream::read_some(std::span<std::byte> into) {
  Connection& c = *connection_;
  if (into.empty()) co_return 0;
  while (!c.aborted) {
    if (c.read_error) co_return fail(*c.read_error);
    std::size_t got = 0;
    const Want next = c.read(into, got);
    if (got > 0 || next == Want::end) co_return got;
    if (next == Want::failure) continue;
    const bool ready = co_await c.wait_for(next);
    if (!ready) break;
  }
  co_return fail(relay::Errc::aborted);
}

Task<Result<>> TlsStream::write_all(std::span<const std::byte> bytes) {
  Connection& c = *connection_;
  while (!bytes.empty()) {
    if (c.aborted) co_return fail(relay::Errc::aborted);
    if (c.write_error) co_return fail(*c.write_error);
    std::size_t written = 0;
    ERR_clear_error();
    const int result =
        SSL_write_ex(c.ssl.get(), bytes.data(), std::min(bytes.size(), kWriteChunk), &written);
    if (result == 1) {
      bytes = bytes.subspan(written);
      continue;
    }
    const Want next = c.want(result);
    if (next == Want::failure || next == Want::end) {
      c.write_error = c.failure_of(Errc::bad_record);
      continue;
    }
    const bool ready = co_await c.wait_for(next);
    if (!ready) co_return fail(relay::Errc::aborted);
  }
  co_return Result<>{};
}

Task<Result<>> TlsStream::finish() {
  Connection& c = *connection_;
  while (!c.finished) {
    if (c.aborted) co_return fail(relay::Errc::aborted);
    if (c.write_error) co_return fail(*c.write_error);
    ERR_clear_error();
    const int result = SSL_shutdown(c.ssl.get());
    if (result >= 0) {
      c.finished = true;
      ::shutdown(c.io.fd, SHUT_WR);
      break;
    }
    const Want next = c.want(result);
    if (next == Want::failure || next == Want::end) {
      c.write_error = c.failure_of(Errc::bad_record);
      continue;
    }
    const bool ready = co_await c.wait_for(next);
    if (!ready) co_return fail(relay::Errc::aborted);
  }
  co_return Result<>{};
}

void TlsStream::abort() noexcept {
  connection_->aborted = true;
  boost::system::error_code ignored;
  connection_->socket.close(ignored);
}

void TlsStream::keep_alive() {
  boost::system::error_code ignored;
  connection_->socket.set_option(asio::socket_base::keep_alive(true), ignored);
}

void TlsStream::hold_output() {
  connection_->io.holding = true;
}

Result<> TlsStream::release_output() {
  SocketIo& io = connection_->io;
  io.holding = false;
  if (io.held.empty()) return {};
  const std::string held = std::exchange(io.held, {});
  // A few bytes into an empty socket; one that does not take them is no peer to go on with.
  const ssize_t n = ::send(io.fd, held.data(), held.size(), MSG_NOSIGNAL);
  if (n == static_cast<ssize_t>(held.size())) return {};
  return fail(relay::Errc::truncated);
}

}  // namespace portunus::portal::tls
