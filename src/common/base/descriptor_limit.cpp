#include "common/base/descriptor_limit.hpp"

#include <sys/resource.h>

#include <cerrno>

namespace portunus {

std::expected<DescriptorLimit, std::error_code> raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return std::unexpected(std::error_code(errno, std::system_category()));
  }
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit wanted = limit;
    wanted.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &wanted) == 0) limit = wanted;
  }
  return DescriptorLimit{.soft = limit.rlim_cur, .hard = limit.rlim_max};
}

}  // namespace portunus
