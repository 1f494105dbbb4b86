#include "standalone/stats_socket.hpp"

#include <sys/stat.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

#include "common/async/within.hpp"
#include "common/log/logger.hpp"

namespace portunus::standalone {
namespace {

namespace asio = boost::asio;
using log::Event;
using Protocol = asio::local::stream_protocol;

constexpr std::size_t kMaxReaders = 16;
constexpr std::chrono::seconds kWriteLimit(5);
constexpr std::chrono::milliseconds kAcceptPause(50);

/// Whether the file is somebody's. Only a refusal says that it is stale: one that we may not
/// connect to, or whose owner has no time to accept, is in use.
bool is_served(const asio::any_io_executor& executor, const Protocol::endpoint& where) {
  Protocol::socket probe(executor);
  boost::system::error_code ec;
  probe.open(where.protocol(), ec);
  if (!ec) probe.non_blocking(true, ec);
  if (!ec) probe.connect(where, ec);
  return ec != asio::error::connection_refused &&
         ec != boost::system::errc::no_such_file_or_directory;
}

async::Task<boost::system::error_code> write_all(Protocol::socket& reader,
                                                 const std::string& text) {
  const auto [ec, n] = co_await asio::async_write(reader, asio::buffer(text), async::kTuple);
  co_return ec;
}

/// A reader that went away is none of our faults.
void log_end(const boost::system::error_code& ec, std::string_view stage) {
  if (ec == asio::error::broken_pipe || ec == asio::error::connection_reset) {
    log::log(Event::standalone_stats_client_disconnected, {{"error", ec.message()}});
  } else {
    log::log(Event::standalone_stats_client_write_failed,
             {{"error", ec.message()}, {"stage", stage}});
  }
}

}  // namespace

StatsSocket::StatsSocket(asio::any_io_executor executor, Sources sources,
                         std::chrono::milliseconds refresh)
    : executor_(executor),
      sources_(std::move(sources)),
      refresh_(refresh),
      acceptor_(executor),
      gate_(executor) {}

void StatsSocket::open(const std::filesystem::path& path) {
  if (const auto done = listen(path); !done) {
    log::log(Event::standalone_stats_socket_bind_failed,
             {{"path", path.string()}, {"error", done.error().text()}});
    return;
  }
  path_ = path;
  log::log(Event::standalone_stats_socket_listening,
           {{"path", path.string()}, {"refresh_ms", refresh_.count()}});
  gate_.spawn(accept());
}

Result<> StatsSocket::listen(const std::filesystem::path& path) {
  std::error_code failure;
  if (path.has_parent_path() && std::filesystem::create_directories(path.parent_path(), failure)) {
    ::chmod(path.parent_path().c_str(), 0750);  // best effort
  }
  if (path.native().size() >= sizeof(sockaddr_un::sun_path)) {
    return fail_errno(ENAMETOOLONG);
  }
  const Protocol::endpoint where(path.string());
  if (std::filesystem::is_socket(path, failure)) {
    if (is_served(executor_, where)) return fail_errno(EADDRINUSE);
    std::filesystem::remove(path, failure);
  }
  boost::system::error_code ec;
  acceptor_.open(where.protocol(), ec);
  if (!ec) acceptor_.bind(where, ec);
  const bool bound = !ec;
  if (bound && ::chmod(path.c_str(), 0660) != 0) ec.assign(errno, boost::system::system_category());
  if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
  if (!ec) return {};
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  if (bound) std::filesystem::remove(path, failure);
  return fail_errno(ec.value());
}

async::Task<> StatsSocket::accept() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (acceptor_.is_open()) {
    auto reader = std::make_unique<Protocol::socket>(executor_);
    const auto [ec] = co_await acceptor_.async_accept(*reader, async::kTuple);
    if (ec == asio::error::operation_aborted || !acceptor_.is_open()) co_return;
    if (ec) {
      log::log(Event::standalone_stats_accept_error, {{"error", ec.message()}});
      if (!co_await async::sleep_for(kAcceptPause)) co_return;
      continue;
    }
    // One too many is closed at once; its reader tries again.
    if (readers_ < kMaxReaders) gate_.spawn(serve(std::move(reader)));
  }
}

async::Task<> StatsSocket::serve(std::unique_ptr<Protocol::socket> reader) {
  co_await asio::this_coro::throw_if_cancelled(false);
  ++readers_;
  asio::steady_timer next(executor_, std::chrono::steady_clock::now());
  std::string text = sources_.hello();
  std::string_view stage = "hello";
  for (std::uint64_t sequence = 1;; ++sequence) {
    text += sources_.snapshot(sequence);
    const auto sent = co_await async::within(write_all(*reader, text), kWriteLimit);
    const auto failure = sent.value_or(asio::error::make_error_code(asio::error::timed_out));
    if (failure) {
      if (acceptor_.is_open()) log_end(failure, stage);
      break;
    }
    // A stop that came during the write cancelled nothing of what follows.
    if (!acceptor_.is_open()) break;
    stage = "snapshot";
    text.clear();
    next.expires_at(next.expiry() + refresh_);
    const auto [ec] = co_await next.async_wait(async::kTuple);
    if (ec) break;
  }
  --readers_;
}

void StatsSocket::request_stop() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  gate_.request_stop();
  std::error_code failure;
  if (!path_.empty()) std::filesystem::remove(path_, failure);
  path_.clear();
}

async::Task<> StatsSocket::drain() {
  co_await gate_.drain(kWriteLimit + std::chrono::seconds(1));
}

}  // namespace portunus::standalone
