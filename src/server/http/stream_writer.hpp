#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "common/async/task.hpp"
#include "server/http/body_stream.hpp"
#include "server/http/options.hpp"
#include "server/http/socket_deadline.hpp"

namespace portunus::server::http {

/// Carries one streamed body to a peer, after the header: in chunks for HTTP/1.1, as it is for
/// HTTP/1.0. A piece that the peer does not take within HttpOptions::write_timeout ends it; between
/// the pieces nothing is timed, but the peer is watched: its end of stream or reset ends the body
/// at once, and what it sends meanwhile is kept for the next request. Owned by the connection,
/// lives on its executor.
class StreamWriter {
 public:
  enum class Framing : bool { chunked, until_close };

  StreamWriter(boost::asio::ip::tcp::socket& socket, SocketDeadline& deadline,
               boost::beast::flat_buffer& input, boost::asio::any_io_executor domain,
               const HttpOptions& options, std::shared_ptr<BodyStream> stream);
  /// The stream ends on its own executor.
  ~StreamWriter();

  /// Until the body's end. True when it was written completely and the connection may go on; the
  /// peer's watch has ended in either case. Never throws.
  async::Task<bool> run(Framing framing);
  /// Ends the body after the piece that is being written, for which a stopping listener has no more
  /// than HttpOptions::stop_body_timeout. Idempotent.
  void stop();

 private:
  void close();
  async::Task<> watch_peer();
  /// Empty also when the stream failed: its fault costs this answer, not the process.
  async::Task<std::string> next_piece();
  async::Task<bool> write(std::string piece, Framing framing);
  async::Task<bool> write_last_chunk();
  /// Around each write.
  void begin_write();
  void end_write();

  boost::asio::ip::tcp::socket& socket_;
  SocketDeadline& deadline_;
  boost::beast::flat_buffer& input_;
  boost::asio::any_io_executor domain_;
  const HttpOptions& options_;
  std::shared_ptr<BodyStream> stream_;
  std::chrono::milliseconds write_limit_;
  bool writing_ = false;
  bool gone_ = false;  ///< the peer
  bool done_ = false;  ///< nothing is written any more
};

}  // namespace portunus::server::http
