// What the library calls, while it reads or writes: no call back into it but those that only raise
// a limit, and nothing that ends the connection.
#include <ngtcp2/ngtcp2_crypto.h>

#include "common/crypto/random.hpp"
#include "portal/quic/connection.hpp"
#include "portal/quic/endpoint.hpp"
#include "portal/quic/library.hpp"
#include "portal/quic/quic_tls.hpp"
#include "portal/quic/stream_core.hpp"

namespace portunus::portal::quic {

class ConnectionCallbacks {
 public:
  static int handshake_completed(ngtcp2_conn*, void* user) {
    of(user).on_handshake_completed();
    return 0;
  }

  static int stream_open(ngtcp2_conn*, std::int64_t id, void* user) {
    Connection& connection = of(user);
    connection.incoming_.push_back(connection.add_stream(id));
    connection.stream_arrived_.notify();
    return 0;
  }

  static int stream_data(ngtcp2_conn* conn, std::uint32_t flags, std::int64_t, std::uint64_t,
                         const std::uint8_t* data, std::size_t size, void*, void* stream) {
    if (stream == nullptr) return 0;
    StreamCore& core = of_stream(stream);
    if (core.reading_stopped) {
      ngtcp2_conn_extend_max_offset(conn, size);
    } else if (!core.in.append({data, size})) {
      return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    if ((flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0) core.fin_received = true;
    core.readable.notify();
    core.peer_acted.notify();
    return 0;
  }

  static int acknowledged(ngtcp2_conn*, std::int64_t, std::uint64_t, std::uint64_t size, void* user,
                          void* stream) {
    if (stream == nullptr) return 0;
    StreamCore& core = of_stream(stream);
    core.out.drop(size);
    core.in_flight -= size;
    of(user).released(size);
    return 0;
  }

  static int stream_close(ngtcp2_conn*, std::uint32_t, std::int64_t, std::uint64_t, void* user,
                          void* stream) {
    if (stream != nullptr) of(user).close_stream(of_stream(stream));
    return 0;
  }

  static int stream_reset(ngtcp2_conn*, std::int64_t, std::uint64_t, std::uint64_t, void*,
                          void* stream) {
    if (stream != nullptr) of_stream(stream).fail_reads(Errc::stream_reset);
    return 0;
  }

  static int stop_sending(ngtcp2_conn*, std::int64_t, std::uint64_t, void*, void* stream) {
    if (stream == nullptr) return 0;
    // The library answers with RESET_STREAM; what is kept goes when the stream closes.
    of_stream(stream).fail_writes(Errc::stream_stopped);
    of_stream(stream).SendHook::unlink();
    return 0;
  }

  static int more_stream_credit(ngtcp2_conn*, std::int64_t, std::uint64_t, void* user,
                                void* stream) {
    if (stream == nullptr) return 0;
    of_stream(stream).blocked = false;
    of(user).want_to_send(of_stream(stream));
    return 0;
  }

  static int more_streams(ngtcp2_conn*, std::uint64_t, void* user) {
    of(user).credit_arrived_.notify();
    return 0;
  }

  static int datagram(ngtcp2_conn*, std::uint32_t, const std::uint8_t* data, std::size_t size,
                      void* user) {
    Connection& connection = of(user);
    connection.received_.push({data, size});
    connection.datagram_arrived_.notify();
    return 0;
  }

  static int stateless_reset(ngtcp2_conn*, const ngtcp2_pkt_stateless_reset*, void* user) {
    of(user).stateless_reset_ = true;
    return 0;
  }

  static int new_id(ngtcp2_conn*, ngtcp2_cid* id, std::uint8_t* token, std::size_t, void* user) {
    Connection& connection = of(user);
    Endpoint& endpoint = connection.endpoint_;
    const ConnectionId issued = ConnectionId::issue(endpoint.worker_, endpoint.workers_);
    *id = to_library(issued);
    if (ngtcp2_crypto_generate_stateless_reset_token(token, endpoint.secrets_.reset.data(),
                                                     endpoint.secrets_.reset.size(), id) != 0) {
      return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    endpoint.add_id(connection, issued);
    return 0;
  }

  static int old_id(ngtcp2_conn*, const ngtcp2_cid* id, void* user) {
    of(user).endpoint_.remove_id(of(user), from_library(*id));
    return 0;
  }

  static void random(std::uint8_t* out, std::size_t size, const ngtcp2_rand_ctx*) {
    crypto::random_bytes({out, size});
  }

 private:
  static Connection& of(void* user) { return *static_cast<Connection*>(user); }
  static StreamCore& of_stream(void* stream) { return *static_cast<StreamCore*>(stream); }
};

ngtcp2_callbacks library_callbacks(bool server) {
  ngtcp2_callbacks out{};
  set_crypto_callbacks(out, server);
  out.handshake_completed = ConnectionCallbacks::handshake_completed;
  out.stream_open = ConnectionCallbacks::stream_open;
  out.recv_stream_data = ConnectionCallbacks::stream_data;
  out.acked_stream_data_offset = ConnectionCallbacks::acknowledged;
  out.stream_close = ConnectionCallbacks::stream_close;
  out.stream_reset = ConnectionCallbacks::stream_reset;
  out.stream_stop_sending = ConnectionCallbacks::stop_sending;
  out.extend_max_stream_data = ConnectionCallbacks::more_stream_credit;
  out.extend_max_local_streams_bidi = ConnectionCallbacks::more_streams;
  out.recv_datagram = ConnectionCallbacks::datagram;
  out.recv_stateless_reset = ConnectionCallbacks::stateless_reset;
  out.get_new_connection_id = ConnectionCallbacks::new_id;
  out.remove_connection_id = ConnectionCallbacks::old_id;
  out.rand = ConnectionCallbacks::random;
  return out;
}

}  // namespace portunus::portal::quic
