#include "standalone/stats_reader.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace portunus::standalone {
namespace {

constexpr std::size_t kLongestLine = std::size_t{1} << 20;

std::string errno_text() {
  return std::system_category().message(errno);
}

StatsReader::Next end(std::string error) {
  return {StatsReader::State::ended, nullptr, std::move(error)};
}

}  // namespace

std::expected<StatsReader, std::string> StatsReader::connect(const std::filesystem::path& path) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  const std::string& text = path.native();
  if (text.size() >= sizeof where.sun_path) {
    return std::unexpected("connect " + text + ": the path is too long");
  }
  std::memcpy(where.sun_path, text.data(), text.size());
  net::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
    return std::unexpected("connect " + text + ": " + errno_text());
  }
  return StatsReader(std::move(fd));
}

StatsReader::Next StatsReader::next(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    if (const auto newline = buffer_.find('\n'); newline != std::string::npos) {
      auto message = nlohmann::json::parse(buffer_.substr(0, newline), nullptr, false);
      buffer_.erase(0, newline + 1);
      if (message.is_discarded()) return end("the daemon sent something that is not JSON");
      return {State::line, std::move(message), {}};
    }
    if (buffer_.size() > kLongestLine) return end("the daemon sent a line over 1 MiB");
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd wanted{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(std::max<long>(left.count(), 0)));
    if (ready == 0) return {State::nothing_yet, nullptr, {}};
    if (ready < 0 && errno != EINTR) return end(errno_text());
    if (ready < 0) continue;
    char chunk[16384];
    const ssize_t n = ::read(fd_.get(), chunk, sizeof chunk);
    if (n == 0) return end({});
    if (n < 0 && errno != EINTR) return end(errno_text());
    if (n > 0) buffer_.append(chunk, static_cast<std::size_t>(n));
  }
}

}  // namespace portunus::standalone
