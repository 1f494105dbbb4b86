#include "portal/protocol/tcp_request.hpp"

#include <algorithm>
#include <span>

#include "portal/protocol/errc.hpp"

namespace portunus::portal::protocol {

Result<Frame> encode_tcp_request(const Spec& spec, std::string_view target) {
  if (auto good = check_target(target); !good) return fail(good.error());
  std::array<std::uint8_t, 63> padding_buffer;
  const std::span padding = std::span(padding_buffer).first(spec.tcp_pad_len());
  spec.tcp_padding(target, padding);

  Frame frame;
  frame.reserve(kMaxTcpRequest);
  for (const TcpField field : spec.tcp_order()) {
    switch (field) {
      case TcpField::version:
        frame.push_back(kWireVersion);
        break;
      case TcpField::target:
        frame.push_back(static_cast<std::uint8_t>(target.size() >> 8U));
        frame.push_back(static_cast<std::uint8_t>(target.size()));
        frame.insert(frame.end(), target.begin(), target.end());
        break;
      case TcpField::padding:
        frame.push_back(spec.tcp_pad_len());
        frame.insert(frame.end(), padding.begin(), padding.end());
        break;
    }
  }
  return frame;
}

// The frame is a few dozen bytes once in a connection's life: a byte at a time is as good as any.
Result<std::size_t> TcpRequestReader::feed(Bytes bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && !complete()) {
    started_ = true;
    if (auto good = take_byte(bytes[taken]); !good) return fail(good.error());
    ++taken;
  }
  return taken;
}

Result<> TcpRequestReader::take_byte(std::uint8_t byte) {
  switch (spec_->tcp_order()[field_]) {
    case TcpField::version:
      return take_version(byte);
    case TcpField::target:
      return take_target(byte);
    case TcpField::padding:
      return take_padding(byte);
  }
  return {};
}

Result<> TcpRequestReader::take_version(std::uint8_t byte) {
  if (byte != kWireVersion) return fail(Errc::bad_version);
  next_field();
  return {};
}

Result<> TcpRequestReader::take_target(std::uint8_t byte) {
  ++in_field_;
  if (in_field_ <= 2) {
    target_len_ = target_len_ << 8U | byte;
    if (in_field_ < 2) return {};
    if (target_len_ == 0 || target_len_ > kMaxTarget) return fail(Errc::bad_target_length);
    target_.reserve(target_len_);
    return {};
  }
  target_.push_back(static_cast<char>(byte));
  if (target_.size() < target_len_) return {};
  if (auto good = check_target(target_); !good) return good;
  have_target_ = true;
  next_field();
  return check_padding();
}

Result<> TcpRequestReader::take_padding(std::uint8_t byte) {
  if (in_field_ == 0) {
    if (byte != spec_->tcp_pad_len()) return fail(Errc::bad_padding_length);
  } else {
    padding_[in_field_ - 1] = byte;
  }
  ++in_field_;
  if (in_field_ <= spec_->tcp_pad_len()) return {};
  have_padding_ = true;
  next_field();
  return check_padding();
}

void TcpRequestReader::next_field() {
  ++field_;
  in_field_ = 0;
}

Result<> TcpRequestReader::check_padding() const {
  if (!have_target_ || !have_padding_) return {};
  std::array<std::uint8_t, 63> wanted{};
  spec_->tcp_padding(target_, wanted);
  if (padding_ != wanted) return fail(Errc::bad_padding);
  return {};
}

}  // namespace portunus::portal::protocol
