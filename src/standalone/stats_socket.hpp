#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "common/async/gate.hpp"
#include "common/async/task.hpp"
#include "common/base/result.hpp"

namespace portunus::standalone {

/// Where readers learn what the daemon does: JSON lines over a Unix socket, server to reader only
/// (cli-and-config 8.2). One executor; drain() before it is destroyed. A reader that does not read
/// is let go after 5 s and disturbs nobody.
class StatsSocket {
 public:
  struct Sources {
    std::function<std::string()> hello;
    /// The snapshot of that number, counted from 1 for every reader.
    std::function<std::string(std::uint64_t sequence)> snapshot;
  };
  StatsSocket(boost::asio::any_io_executor executor, Sources sources,
              std::chrono::milliseconds refresh);

  /// Creates the folder, takes the place of a stale socket and listens with mode 0660. Logs how it
  /// went; the daemon goes on without when it fails.
  void open(const std::filesystem::path& path);
  /// Closes everything and removes the socket file.
  void request_stop();
  async::Task<> drain();

 private:
  using Protocol = boost::asio::local::stream_protocol;
  Result<> listen(const std::filesystem::path& path);
  async::Task<> accept();
  async::Task<> serve(std::unique_ptr<Protocol::socket> reader);

  boost::asio::any_io_executor executor_;
  Sources sources_;
  std::chrono::milliseconds refresh_;
  Protocol::acceptor acceptor_;
  std::filesystem::path path_;
  std::size_t readers_ = 0;
  async::Gate gate_;
};

}  // namespace portunus::standalone
