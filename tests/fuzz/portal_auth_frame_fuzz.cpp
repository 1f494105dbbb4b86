// The Portal's authentication frame against anything: only a frame that the key and the spec make
// is taken, and there is exactly one for each nonce.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "portal/protocol/auth_frame.hpp"
#include "portal/protocol/errc.hpp"
#include "tests/fuzz/fuzz_target.hpp"
#include "tests/fuzz/portal_specs.hpp"

namespace {

namespace protocol = portunus::portal::protocol;

/// The same bytes under the wrong key, with a byte changed, cut and lengthened.
void check_refused(const protocol::Spec& spec, const protocol::AuthKey& key, protocol::Frame frame,
                   std::size_t where) {
  const auto refused = [&](protocol::Bytes bytes, const protocol::AuthKey& with) {
    const auto verdict = protocol::verify_auth_frame(spec, with, bytes);
    FUZZ_CHECK(!verdict);
    FUZZ_CHECK(verdict.error() == make_error_code(protocol::Errc::invalid_auth_frame));
  };
  refused(frame, protocol::AuthKey("another"));
  refused(protocol::Bytes(frame).first(where % frame.size()), key);
  frame[where % frame.size()] ^= static_cast<std::uint8_t>(1 + where % 255);
  refused(frame, key);
  frame[where % frame.size()] ^= static_cast<std::uint8_t>(1 + where % 255);
  frame.push_back(0);
  refused(frame, key);
}

}  // namespace

PORTUNUS_FUZZ_TARGET(portal_auth_frame)(portunus::fuzz::Input input) {
  const auto [spec, bytes] = portunus::fuzz::pick_spec(input);
  const protocol::AuthKey key("secret");
  // As it came from a peer.
  if (protocol::verify_auth_frame(spec, key, bytes)) {
    FUZZ_CHECK(bytes.size() == spec.auth_frame_size());
    check_refused(spec, key, {bytes.begin(), bytes.end()}, bytes[0]);
  }
  // As a nonce.
  protocol::Nonce nonce{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), nonce.size()), nonce.begin());
  const protocol::Frame frame = protocol::encode_auth_frame(spec, key, nonce);
  FUZZ_CHECK(protocol::verify_auth_frame(spec, key, frame).has_value());
  check_refused(spec, key, frame, bytes.size() * 31 + nonce[0]);
}
