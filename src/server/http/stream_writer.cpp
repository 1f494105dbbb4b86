#include "server/http/stream_writer.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <utility>

#include "common/async/gate.hpp"
#include "server/http/domain_hop.hpp"

namespace portunus::server::http {
namespace {

namespace asio = boost::asio;
namespace bhttp = boost::beast::http;

/// The watch only waits for a socket operation that has been cancelled.
constexpr std::chrono::seconds kWatchEnds{10};

}  // namespace

StreamWriter::StreamWriter(asio::ip::tcp::socket& socket, SocketDeadline& deadline,
                           boost::beast::flat_buffer& input, asio::any_io_executor domain,
                           const HttpOptions& options, std::shared_ptr<BodyStream> stream)
    : socket_(socket),
      deadline_(deadline),
      input_(input),
      domain_(std::move(domain)),
      options_(options),
      stream_(std::move(stream)),
      write_limit_(options.write_timeout) {}

StreamWriter::~StreamWriter() {
  asio::dispatch(domain_, [stream = std::move(stream_)] { stream->close(); });
}

void StreamWriter::stop() {
  write_limit_ = options_.stop_body_timeout;
  if (writing_) deadline_.set(write_limit_);
  close();
}

void StreamWriter::close() {
  asio::dispatch(domain_, [stream = stream_] { stream->close(); });
}

async::Task<bool> StreamWriter::run(Framing framing) {
  async::Gate watching(socket_.get_executor());
  watching.spawn(watch_peer());
  bool good = true;
  while (good) {
    std::string piece = co_await next_piece();
    if (piece.empty() || gone_) break;
    good = co_await write(std::move(piece), framing);
  }
  if (good && !gone_ && framing == Framing::chunked) good = co_await write_last_chunk();
  done_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
  co_await watching.drain(kWatchEnds);
  co_return good && !gone_ && framing == Framing::chunked;
}

async::Task<> StreamWriter::watch_peer() {
  co_await asio::this_coro::throw_if_cancelled(false);
  // Whoever sends more than that behind his request is found out by the writing.
  while (!done_ && input_.size() < options_.header_limit) {
    const auto [ec, n] = co_await socket_.async_read_some(input_.prepare(4096), async::kTuple);
    if (!ec) {
      input_.commit(n);
      continue;
    }
    if (!done_) {
      gone_ = true;
      close();
      boost::system::error_code ignored;
      socket_.cancel(ignored);  // a piece that nobody will take
    }
    co_return;
  }
}

async::Task<std::string> StreamWriter::next_piece() {
  try {
    co_return co_await hop_to(domain_, stream_->next());
  } catch (...) {
    co_return std::string();
  }
}

void StreamWriter::begin_write() {
  writing_ = true;
  deadline_.set(write_limit_);
}

void StreamWriter::end_write() {
  writing_ = false;
  deadline_.clear();
}

async::Task<bool> StreamWriter::write(std::string piece, Framing framing) {
  begin_write();
  boost::system::error_code failed;
  if (framing == Framing::chunked) {
    const bhttp::chunk_body<asio::const_buffer> chunk(asio::buffer(std::as_const(piece)));
    const auto [ec, n] = co_await asio::async_write(socket_, chunk, async::kTuple);
    failed = ec;
  } else {
    const auto [ec, n] = co_await asio::async_write(socket_, asio::buffer(piece), async::kTuple);
    failed = ec;
  }
  end_write();
  co_return !failed;
}

async::Task<bool> StreamWriter::write_last_chunk() {
  begin_write();
  const auto [ec, n] = co_await asio::async_write(socket_, bhttp::chunk_last<>(), async::kTuple);
  end_write();
  co_return !ec;
}

}  // namespace portunus::server::http
