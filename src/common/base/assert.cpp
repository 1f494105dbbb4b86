#include "common/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace portunus {

void assert_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "assertion failed: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace portunus
