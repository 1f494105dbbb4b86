#include "server/auth/password.hpp"

#include <argon2.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "common/base/utf8.hpp"
#include "common/crypto/random.hpp"
#include "server/auth/errc.hpp"

namespace portunus::server::auth {
namespace {

constexpr std::uint32_t kMemoryKib = 19'456;
constexpr std::uint32_t kPasses = 2;
constexpr std::uint32_t kLanes = 1;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kTagBytes = 32;

std::optional<argon2_type> type_of(std::string_view phc) {
  if (phc.starts_with("$argon2id$")) return Argon2_id;
  if (phc.starts_with("$argon2i$")) return Argon2_i;
  if (phc.starts_with("$argon2d$")) return Argon2_d;
  return std::nullopt;
}

/// Unicode scalar values; a byte that belongs to none counts as one.
std::size_t count_chars(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    text.remove_prefix(std::max<std::size_t>(utf8_sequence_length(text), 1));
    ++count;
  }
  return count;
}

int run(const std::string& phc, const Secret& password, argon2_type type) {
  const std::string& text = password.reveal();
  return ::argon2_verify(phc.c_str(), text.data(), text.size(), type);
}

}  // namespace

Result<> check_password(const Secret& password) {
  const std::string& text = password.reveal();
  if (text.size() > kMaxPasswordBytes) return fail(Errc::password_too_long);
  if (count_chars(text) < kMinPasswordChars) return fail(Errc::password_too_short);
  return {};
}

Result<std::string> hash_password(const Secret& password) {
  std::array<std::uint8_t, kSaltBytes> salt;
  crypto::random_bytes(salt);
  std::string phc(
      ::argon2_encodedlen(kPasses, kMemoryKib, kLanes, kSaltBytes, kTagBytes, Argon2_id), '\0');
  const std::string& text = password.reveal();
  const int outcome =
      ::argon2id_hash_encoded(kPasses, kMemoryKib, kLanes, text.data(), text.size(), salt.data(),
                              salt.size(), kTagBytes, phc.data(), phc.size());
  if (outcome != ARGON2_OK) {
    return fail({Errc::password_hash_failed, ::argon2_error_message(outcome)});
  }
  phc.resize(std::strlen(phc.c_str()));
  return phc;
}

Result<bool> verify_password(const std::string& phc, const Secret& password) {
  const auto type = type_of(phc);
  int outcome = type ? run(phc, password, *type) : static_cast<int>(ARGON2_DECODING_FAIL);
  const bool matches = outcome == ARGON2_OK;
  if (!matches && outcome != ARGON2_VERIFY_MISMATCH && outcome != ARGON2_MEMORY_ALLOCATION_ERROR &&
      outcome != ARGON2_THREAD_FAIL) {
    // The string was refused before anything was computed.
    outcome = run(dummy_password_hash(), password, Argon2_id);
  }
  if (outcome == ARGON2_MEMORY_ALLOCATION_ERROR || outcome == ARGON2_THREAD_FAIL) {
    return fail({Errc::password_hash_failed, ::argon2_error_message(outcome)});
  }
  return matches;
}

const std::string& dummy_password_hash() {
  static const std::string hash =
      "$argon2id$v=19$m=19456,t=2,p=1$cG9ydHVudXMtZHVtbXktMQ$"
      "IaGPBPiJygIda+Va6gUm1QbdMPAzU+NFRmicgFiI34M";
  return hash;
}

}  // namespace portunus::server::auth
