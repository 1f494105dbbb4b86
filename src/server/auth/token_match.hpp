#pragma once

#include <string>
#include <string_view>

#include "common/crypto/digest.hpp"
#include "server/store/hash_scan.hpp"

namespace portunus::server::auth {

/// Looks a secret up among stored hashes: every hash is compared in full and none ends the search,
/// so the time taken tells nothing of them (http-api 2).
class TokenMatch {
 public:
  explicit TokenMatch(std::string_view secret) : hash_(crypto::sha256_hex(secret)) {}

  /// For the scan functions of the store.
  store::HashVisitor visitor() {
    return [this](std::string_view hash, std::string_view id) {
      if (crypto::equal_constant_time(hash, hash_)) id_ = id;
    };
  }
  /// The beginning of the hash, for tables of which only a part is searched: it tells of the secret
  /// nothing that could be guessed onwards.
  std::string_view prefix() const { return std::string_view(hash_).substr(0, 16); }
  /// The id of the matching row; empty when there was none.
  const std::string& id() const { return id_; }

 private:
  std::string hash_;
  std::string id_;
};

}  // namespace portunus::server::auth
