#include "standalone/process_usage.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "common/log/logger.hpp"

namespace portunus::standalone {
namespace {

using log::Event;

constexpr rlim_t kLowLimit = 4096;

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

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    log::log(Event::standalone_rlimit_query_failed,
             {{"error", std::system_category().message(errno)}});
    return;
  }
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit wanted = limit;
    wanted.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &wanted) == 0) limit = wanted;
  }
  log::log(Event::standalone_rlimit_nofile,
           {{"soft", std::uint64_t{limit.rlim_cur}}, {"hard", std::uint64_t{limit.rlim_max}}});
  if (limit.rlim_cur < kLowLimit) {
    log::log(Event::standalone_rlimit_nofile_low, {{"soft", std::uint64_t{limit.rlim_cur}}});
  }
}

}  // namespace portunus::standalone
