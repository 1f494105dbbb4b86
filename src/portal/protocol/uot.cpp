#include "portal/protocol/uot.hpp"

#include <algorithm>

#include "portal/protocol/errc.hpp"
#include "portal/protocol/target.hpp"

namespace portunus::portal::protocol {
namespace {

Frame counted(Bytes bytes) {
  const auto length = uot_length(bytes.size());
  Frame frame;
  frame.reserve(length.size() + bytes.size());
  frame.insert(frame.end(), length.begin(), length.end());
  frame.insert(frame.end(), bytes.begin(), bytes.end());
  return frame;
}

}  // namespace

std::array<std::uint8_t, kUotLengthSize> uot_length(std::size_t size) {
  return {static_cast<std::uint8_t>(size >> 8U), static_cast<std::uint8_t>(size)};
}

Result<Frame> encode_uot_setup(std::string_view target) {
  if (auto good = check_target(target); !good) return fail(good.error());
  return counted({reinterpret_cast<const std::uint8_t*>(target.data()), target.size()});
}

Result<Frame> encode_uot_packet(Bytes packet) {
  if (packet.size() > kMaxUotPacket) return fail(Errc::packet_too_long);
  return counted(packet);
}

Result<std::size_t> UotSetupReader::feed(Bytes bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && header_ < kUotLengthSize) {
    length_ = length_ << 8U | bytes[taken++];
    if (++header_ == kUotLengthSize && (length_ == 0 || length_ > kMaxTarget)) {
      return fail(Errc::bad_target_length);
    }
  }
  if (header_ < kUotLengthSize || complete()) return taken;
  const Bytes part = bytes.subspan(taken, std::min(bytes.size() - taken, length_ - target_.size()));
  target_.append(part.begin(), part.end());
  if (complete()) {
    if (auto good = check_target(target_); !good) return fail(good.error());
  }
  return taken + part.size();
}

UotReader::Step UotReader::feed(Bytes bytes) {
  Step step;
  // What was kept of the packet before has been seen.
  if (header_ == 0) partial_.clear();
  while (step.consumed < bytes.size() && header_ < kUotLengthSize) {
    length_ = length_ << 8U | bytes[step.consumed++];
    ++header_;
  }
  if (header_ < kUotLengthSize) return step;
  const std::size_t wanted = length_ - partial_.size();
  const Bytes part = bytes.subspan(step.consumed, std::min(bytes.size() - step.consumed, wanted));
  step.consumed += part.size();
  if (part.size() < wanted || !partial_.empty()) {
    partial_.insert(partial_.end(), part.begin(), part.end());
  }
  if (part.size() < wanted) return step;
  step.packet = partial_.empty() ? part : Bytes(partial_);
  header_ = 0;
  length_ = 0;
  return step;
}

}  // namespace portunus::portal::protocol
