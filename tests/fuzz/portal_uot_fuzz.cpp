// UDP over TCP: setup and packets in any segmentation.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "portal/protocol/target.hpp"
#include "portal/protocol/uot.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace {

namespace protocol = portunus::portal::protocol;
using protocol::Bytes;

struct Outcome {
  std::error_code error;
  std::string target;
  std::vector<protocol::Frame> packets;
  bool in_frame = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read(Bytes bytes, std::size_t piece) {
  protocol::UotSetupReader setup;
  protocol::UotReader reader;
  Outcome out;
  while (!bytes.empty()) {
    Bytes part = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(part.size());
    while (!part.empty()) {
      if (!setup.complete()) {
        const auto fed = setup.feed(part);
        if (!fed) {
          Outcome failed;
          failed.error = fed.error().code;
          return failed;
        }
        FUZZ_CHECK(*fed > 0 && *fed <= part.size());
        part = part.subspan(*fed);
        continue;
      }
      const auto step = reader.feed(part);
      FUZZ_CHECK(step.consumed > 0 && step.consumed <= part.size());
      part = part.subspan(step.consumed);
      if (step.packet) out.packets.emplace_back(step.packet->begin(), step.packet->end());
      FUZZ_CHECK(step.packet || part.empty());
    }
  }
  if (setup.complete()) out.target = setup.target();
  out.in_frame = reader.in_frame();
  return out;
}

/// Writing what was read gives the same stream, up to a frame that was cut.
void check_again(const Outcome& read, Bytes bytes) {
  protocol::Frame again = *protocol::encode_uot_setup(read.target);
  for (const auto& packet : read.packets) {
    const auto frame = protocol::encode_uot_packet(packet);
    FUZZ_CHECK(frame.has_value());
    again.insert(again.end(), frame->begin(), frame->end());
  }
  FUZZ_CHECK(again.size() <= bytes.size());
  FUZZ_CHECK(std::ranges::equal(again, bytes.first(again.size())));
  FUZZ_CHECK(read.in_frame == (again.size() < bytes.size()));
}

}  // namespace

PORTUNUS_FUZZ_TARGET(portal_uot)(portunus::fuzz::Input input) {
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  const Outcome whole = read(bytes, std::max<std::size_t>(bytes.size(), 1));
  for (const std::size_t piece : {1UL, 2UL, 3UL, 19UL}) FUZZ_CHECK(read(bytes, piece) == whole);
  if (!whole.target.empty()) check_again(whole, bytes);
}
