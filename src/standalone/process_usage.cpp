#include "standalone/process_usage.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "common/base/descriptor_limit.hpp"
#include "common/log/logger.hpp"

namespace portunus::standalone {
namespace {

using log::Event;

constexpr std::uint64_t kLowLimit = 4096;

std::optional<std::uint64_t> count_descriptors() {
  std::error_code ec;
  std::uint64_t count = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", ec), end; !ec && it != end;
       it.increment(ec)) {
    ++count;
  }
  if (ec || count == 0) return std::nullopt;
  return count - 1;  // the one that reads the folder
}

std::optional<std::uint64_t> resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  if (!(file >> total >> resident)) return std::nullopt;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

ProcessUsage process_usage() {
  ProcessUsage out;
  out.fd_open = count_descriptors();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) out.fd_limit = limit.rlim_cur;
  out.rss_bytes = resident_bytes();
  return out;
}

void claim_descriptors() {
  const auto limit = raise_descriptor_limit();
  if (!limit) {
    log::log(Event::standalone_rlimit_query_failed, {{"error", limit.error().message()}});
    return;
  }
  log::log(Event::standalone_rlimit_nofile, {{"soft", limit->soft}, {"hard", limit->hard}});
  if (limit->soft < kLowLimit) {
    log::log(Event::standalone_rlimit_nofile_low, {{"soft", limit->soft}});
  }
}

}  // namespace portunus::standalone
