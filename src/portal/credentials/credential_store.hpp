#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"

namespace portunus::portal::credentials {

/// What the Portal proves itself with. The texts are normalised: certificates alone, leaf first,
/// and one unencrypted PKCS#8 key that belongs to the leaf.
struct Pair {
  std::string certificates_pem;
  std::string key_pem;
  /// SHA-256 of the leaf's DER, 64 lower-case hex digits: what a client pins.
  std::string leaf_sha256;
  /// Grows with each replacement, from 1. Whoever builds something from a pair keeps it by this.
  std::uint64_t generation = 0;
};

/// Self-signed for `localhost`, made in memory (`tls=1`, portal 16).
Result<Pair> make_self_signed(SystemTime now);
/// The PEM files of `tls=2`: a chain, and the first PKCS#8, PKCS#1 or SEC1 key.
Result<Pair> read_pair(const std::string& certificate_path, const std::string& key_path);

/// The pair in use by both carriers, and its reload policy (portal 16). Any thread.
class CredentialStore {
 public:
  struct Files {
    std::string certificate_path;
    std::string key_path;
    /// Least time between two attempts; 0 = every ClientHello.
    std::chrono::nanoseconds interval{};
  };
  /// Told about each attempt, on the thread that made it.
  using OnReload = std::function<void(const Result<>& outcome)>;
  /// Whether the carriers can use a pair: asked before it replaces the one in use, on that thread.
  using Check = std::function<Result<>(const Pair& pair)>;

  /// Never reloaded (`tls=1`).
  explicit CredentialStore(Pair pair);
  /// `pair` was read from `files` at `now`.
  CredentialStore(Pair pair, Files files, SteadyTime now, OnReload on_reload, Check check = {});

  /// To be called for each ClientHello, before current(). Reads the files when that is due, unless
  /// another thread is doing so; a failure keeps the pair in use.
  void on_client_hello(SteadyTime now);
  std::shared_ptr<const Pair> current() const;
  /// Of current(), for the price of one load and no lock: who has built something from a pair asks
  /// for the pair when this has changed.
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

 private:
  void reload();
  Result<Pair> read() const;

  const Files files_;
  const bool reloads_;
  const OnReload on_reload_;
  const Check check_;
  /// A mutex rather than std::atomic<std::shared_ptr>, whose load() in libstdc++ 12 lets its own
  /// lock go too weakly for the next store().
  mutable std::mutex mutex_;
  std::shared_ptr<const Pair> current_;
  std::atomic<std::uint64_t> generation_;
  /// Of the steady clock; when the next attempt is due.
  std::atomic<std::int64_t> due_{0};
  std::atomic<bool> reading_{false};
};

}  // namespace portunus::portal::credentials
