#include "portal/credentials/credential_store.hpp"

#include <utility>

#include "common/base/deadline.hpp"
#include "common/config/file.hpp"
#include "common/crypto/certificate.hpp"
#include "portal/credentials/errc.hpp"

namespace portunus::portal::credentials {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "portal.credentials"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::unreadable_certificate:
        return "the certificate file cannot be read";
      case Errc::unreadable_key:
        return "the private key file cannot be read";
    }
    return "unknown";
  }
};

Result<Pair> finished(Result<crypto::CertificatePair> made) {
  if (!made) return fail(made.error());
  Result<std::string> fingerprint = crypto::certificate_fingerprint(made->certificate_pem);
  if (!fingerprint) return fail(fingerprint.error());
  return Pair{.certificates_pem = std::move(made->certificate_pem),
              .key_pem = std::move(made->key_pem),
              .leaf_sha256 = std::move(*fingerprint),
              .generation = 1};
}

std::int64_t ticks(SteadyTime time) {
  return time.time_since_epoch().count();
}

/// The instant of the next attempt, for ever away when it cannot be counted.
std::int64_t due_after(SteadyTime now, std::chrono::nanoseconds interval) {
  return ticks(deadline_after(now, interval));
}

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

Result<Pair> make_self_signed(SystemTime now) {
  return finished(crypto::generate_self_signed_for_name("localhost", now));
}

Result<Pair> read_pair(const std::string& certificate_path, const std::string& key_path) {
  const Result<std::string> certificates = portunus::config::read_file(certificate_path);
  if (!certificates) {
    return fail(Error(Errc::unreadable_certificate, certificates.error().text()));
  }
  const Result<std::string> key = portunus::config::read_file(key_path);
  if (!key) return fail(Error(Errc::unreadable_key, key.error().text()));
  return finished(crypto::read_pair(*certificates, *key));
}

CredentialStore::CredentialStore(Pair pair)
    : reloads_(false),
      current_(std::make_shared<const Pair>(std::move(pair))),
      generation_(current_->generation) {}

CredentialStore::CredentialStore(Pair pair, Files files, SteadyTime now, OnReload on_reload,
                                 Check check)
    : files_(std::move(files)),
      reloads_(true),
      on_reload_(std::move(on_reload)),
      check_(std::move(check)),
      current_(std::make_shared<const Pair>(std::move(pair))),
      generation_(current_->generation),
      due_(due_after(now, files_.interval)) {}

std::shared_ptr<const Pair> CredentialStore::current() const {
  const std::scoped_lock lock(mutex_);
  return current_;
}

void CredentialStore::on_client_hello(SteadyTime now) {
  if (!reloads_ || ticks(now) < due_.load(std::memory_order_relaxed)) return;
  if (reading_.exchange(true, std::memory_order_acquire)) return;
  // Somebody else's attempt may have ended between the two looks.
  if (ticks(now) >= due_.load(std::memory_order_relaxed)) {
    due_.store(due_after(now, files_.interval), std::memory_order_relaxed);
    reload();
  }
  reading_.store(false, std::memory_order_release);
}

Result<Pair> CredentialStore::read() const {
  Result<Pair> pair = read_pair(files_.certificate_path, files_.key_path);
  if (!pair || !check_) return pair;
  const Result<> usable = check_(*pair);
  if (!usable) return fail(usable.error());
  return pair;
}

void CredentialStore::reload() {
  Result<Pair> pair = read();
  Result<> outcome;
  if (pair) {
    pair->generation = generation_.load(std::memory_order_relaxed) + 1;
    const std::uint64_t generation = pair->generation;
    auto next = std::make_shared<const Pair>(std::move(*pair));
    {
      const std::scoped_lock lock(mutex_);
      current_.swap(next);
    }
    generation_.store(generation, std::memory_order_release);
  } else {
    outcome = fail(pair.error());
  }
  if (on_reload_) on_reload_(outcome);
}

}  // namespace portunus::portal::credentials
