#include "common/base/ulid.hpp"

#include <sys/random.h>

#include <array>
#include <cstdint>

#include "common/base/assert.hpp"

namespace portunus {
namespace {

constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

}  // namespace

std::string make_ulid(const Clock& clock) {
  std::array<std::uint8_t, 16> bytes;
  const auto millis = static_cast<std::uint64_t>(to_unix_millis(clock.now()));
  for (unsigned i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(millis >> (40 - 8 * i));
  // Ten bytes never come short from the kernel once its pool is seeded.
  PORTUNUS_ASSERT(::getrandom(bytes.data() + 6, 10, 0) == 10);

  std::string out(26, '0');
  // 128 bits are written as 26 digits of 5 bits, so the first digit carries only 3.
  unsigned __int128 value = 0;
  for (std::uint8_t b : bytes) value = (value << 8) | b;
  for (int i = 25; i >= 0; --i) {
    out[static_cast<std::size_t>(i)] = kCrockford[static_cast<std::size_t>(value & 31)];
    value >>= 5;
  }
  return out;
}

bool is_ulid(std::string_view text) {
  if (text.size() != 26 || text[0] > '7') return false;
  return text.find_first_not_of(kCrockford) == std::string_view::npos;
}

}  // namespace portunus
