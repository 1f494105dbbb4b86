#include "portal/protocol/auth_frame.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "common/base/hex.hpp"
#include "common/crypto/random.hpp"
#include "portal/protocol/errc.hpp"

namespace portunus::portal::protocol {
namespace {

crypto::Sha256 tag_of(const Spec& spec, const AuthKey& key, const Nonce& nonce, Bytes padding) {
  const std::uint8_t pad_len = spec.auth_pad_len();
  return crypto::hmac_sha256(key.bytes(),
                             {spec.info(), spec.context(), nonce, {&pad_len, 1}, padding});
}

/// The fields of a frame where they lie.
struct Fields {
  Bytes magic, nonce, pad_len, padding, tag;
};

/// `frame` has the spec's size.
Fields cut(const Spec& spec, Bytes frame) {
  Fields fields;
  const auto take = [&frame](std::size_t size) {
    const Bytes field = frame.first(size);
    frame = frame.subspan(size);
    return field;
  };
  for (const AuthField field : spec.auth_order()) {
    switch (field) {
      case AuthField::magic:
        fields.magic = take(kMagicSize);
        break;
      case AuthField::nonce:
        fields.nonce = take(kNonceSize);
        break;
      case AuthField::padding:
        fields.pad_len = take(1);
        fields.padding = take(spec.auth_pad_len());
        break;
      case AuthField::tag:
        fields.tag = take(kTagSize);
        break;
    }
  }
  return fields;
}

}  // namespace

AuthKey::AuthKey(std::string_view shared_key) : bytes_(crypto::sha256(as_bytes(shared_key))) {}

AuthKey::~AuthKey() {
  crypto::wipe(bytes_);
}

Nonce fresh_nonce() {
  Nonce nonce;
  crypto::random_bytes(nonce);
  return nonce;
}

Frame encode_auth_frame(const Spec& spec, const AuthKey& key, const Nonce& nonce) {
  std::array<std::uint8_t, 255> padding_buffer;
  const std::span padding = std::span(padding_buffer).first(spec.auth_pad_len());
  spec.auth_padding(nonce, padding);

  Frame frame;
  frame.reserve(spec.auth_frame_size());
  const auto put = [&frame](Bytes bytes) { frame.insert(frame.end(), bytes.begin(), bytes.end()); };
  for (const AuthField field : spec.auth_order()) {
    switch (field) {
      case AuthField::magic:
        put(spec.magic());
        break;
      case AuthField::nonce:
        put(nonce);
        break;
      case AuthField::padding:
        frame.push_back(spec.auth_pad_len());
        put(padding);
        break;
      case AuthField::tag:
        put(tag_of(spec, key, nonce, padding));
        break;
    }
  }
  return frame;
}

Result<> verify_auth_frame(const Spec& spec, const AuthKey& key, Bytes frame) {
  if (frame.size() != spec.auth_frame_size()) return fail(Errc::invalid_auth_frame);
  const Fields fields = cut(spec, frame);
  Nonce nonce;
  std::ranges::copy(fields.nonce, nonce.begin());
  std::array<std::uint8_t, 255> padding_buffer;
  const std::span padding = std::span(padding_buffer).first(spec.auth_pad_len());
  spec.auth_padding(nonce, padding);
  const std::uint8_t pad_len = spec.auth_pad_len();

  // All four are compared whatever the first ones say (portal 6.1).
  const unsigned good =
      static_cast<unsigned>(crypto::equal_constant_time(fields.magic, spec.magic())) &
      static_cast<unsigned>(crypto::equal_constant_time(fields.pad_len, Bytes(&pad_len, 1))) &
      static_cast<unsigned>(crypto::equal_constant_time(fields.padding, padding)) &
      static_cast<unsigned>(
          crypto::equal_constant_time(fields.tag, tag_of(spec, key, nonce, padding)));
  if (good == 0) return fail(Errc::invalid_auth_frame);
  return {};
}

}  // namespace portunus::portal::protocol
