#pragma once

#include <cstddef>
#include <string_view>

#include "common/base/result.hpp"
#include "common/crypto/digest.hpp"
#include "portal/protocol/bytes.hpp"
#include "portal/protocol/spec.hpp"

namespace portunus::portal::protocol {

inline constexpr std::size_t kMaxAuthFrame = 328;

/// SHA-256 of the shared key, which is all that anybody needs of it. Wiped when it goes.
class AuthKey {
 public:
  explicit AuthKey(std::string_view shared_key);
  ~AuthKey();
  AuthKey(const AuthKey&) = default;
  AuthKey& operator=(const AuthKey&) = default;

  const crypto::Sha256& bytes() const { return bytes_; }

 private:
  crypto::Sha256 bytes_;
};

/// 32 bytes nobody has used before.
Nonce fresh_nonce();

/// The authentication frame (portal 6.1), spec.auth_frame_size() bytes. A client passes
/// fresh_nonce().
Frame encode_auth_frame(const Spec& spec, const AuthKey& key, const Nonce& nonce);

/// Errc::invalid_auth_frame for any frame but one of this spec and key, whichever field is wrong
/// and in the same time. Only a wrong length, which the spec gives away, answers sooner.
Result<> verify_auth_frame(const Spec& spec, const AuthKey& key, Bytes frame);

}  // namespace portunus::portal::protocol
