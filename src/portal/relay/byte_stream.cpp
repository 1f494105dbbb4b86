#include "portal/relay/byte_stream.hpp"

namespace portunus::portal::relay {

Task<void> ByteStream::readable() {
  co_return;
}

Task<Result<std::size_t>> read_full(ByteStream& stream, std::span<std::byte> into) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const Result<std::size_t> n = co_await stream.read_some(into.subspan(filled));
    if (!n) co_return fail(n.error());
    if (*n == 0) break;
    filled += *n;
  }
  co_return filled;
}

}  // namespace portunus::portal::relay
