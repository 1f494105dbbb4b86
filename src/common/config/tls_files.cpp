#include "common/config/tls_files.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/config/errc.hpp"
#include "common/config/file.hpp"
#include "common/crypto/errc.hpp"
#include "common/log/logger.hpp"

namespace portunus::config {
namespace {

namespace fs = std::filesystem;
using log::Event;

fs::path marker_of(const TlsFilesOptions& options) {
  return options.certificate.parent_path() / ".portunus-autocert";
}

bool present(const fs::path& path) {
  std::error_code ec;
  return fs::exists(path, ec);
}

/// The key first: a crash in between leaves a pair that does not match, which the next start
/// replaces because the marker is there.
Result<> write_new_pair(const TlsFilesOptions& options, const crypto::CertificatePair& pair) {
  std::error_code ec;
  for (const fs::path& path : {options.certificate, options.key}) {
    if (path.has_parent_path()) fs::create_directories(path.parent_path(), ec);
  }
  if (auto done = replace_file(marker_of(options), options.seed_host.value_or(""), 0644); !done) {
    return done;
  }
  if (auto done = replace_file(options.key, pair.key_pem, 0600); !done) return done;
  return replace_file(options.certificate, pair.certificate_pem, 0644);
}

Result<TlsMaterial> material_of(crypto::CertificatePair pair) {
  auto fingerprint = crypto::certificate_fingerprint(pair.certificate_pem);
  if (!fingerprint) return fail(fingerprint.error());
  auto names = crypto::certificate_names(pair.certificate_pem);
  if (!names) return fail(names.error());
  return TlsMaterial{std::move(pair), std::move(*fingerprint), std::move(*names)};
}

Result<TlsMaterial> generate(const TlsFilesOptions& options, const Clock& clock) {
  auto pair =
      crypto::generate_self_signed(options.host, options.seed_host.value_or(""), clock.now());
  if (!pair) return fail(pair.error());
  if (auto done = write_new_pair(options, *pair); !done) return fail(done.error());
  return material_of(std::move(*pair));
}

/// Keeps the old pair as <file>.portunus.<unix>.bak with its mode.
Result<> back_up(const TlsFilesOptions& options, const Clock& clock) {
  const std::string suffix = fmt::format(".portunus.{}.bak", to_unix_seconds(clock.now()));
  for (const fs::path& path : {options.certificate, options.key}) {
    const std::string copy = path.string() + suffix;
    if (::link(path.c_str(), copy.c_str()) != 0 && errno != EEXIST && errno != ENOENT) {
      return fail_errno(errno, "back up " + path.string());
    }
  }
  return {};
}

Result<> check_key_mode(const fs::path& key) {
  struct stat info;
  if (::stat(key.c_str(), &info) != 0) return fail_errno(errno, "stat " + key.string());
  const unsigned mode = info.st_mode & 07777U;
  if ((mode & 077U) == 0) return {};
  return fail(Error(
      Errc::key_mode,
      fmt::format("{} has mode {:04o}, refuse to start (use chmod 600)", key.string(), mode)));
}

Result<crypto::CertificatePair> read_pair(const TlsFilesOptions& options) {
  auto certificate = read_file(options.certificate);
  if (!certificate) return fail(certificate.error());
  auto key = read_file(options.key);
  if (!key) return fail(key.error());
  return crypto::CertificatePair{std::move(*certificate), std::move(*key)};
}

Result<TlsMaterial> regenerate(const TlsFilesOptions& options, const std::string& old_fingerprint,
                               const Clock& clock) {
  if (auto done = back_up(options, clock); !done) return fail(done.error());
  auto fresh = generate(options, clock);
  if (fresh) {
    log::log(Event::tls_cert_regenerated, {{"host", options.seed_host.value_or("")},
                                           {"old_fingerprint", old_fingerprint},
                                           {"new_fingerprint", fresh->fingerprint}});
  }
  return fresh;
}

}  // namespace

Result<TlsMaterial> prepare_tls_files(const TlsFilesOptions& options, const Clock& clock) {
  const bool has_certificate = present(options.certificate);
  const bool has_key = present(options.key);
  const bool generated = present(marker_of(options));
  if (has_certificate != has_key && !generated) {
    return fail(Error(Errc::incomplete_pair,
                      fmt::format("{} is missing while {} is there; an operator's pair is never "
                                  "replaced",
                                  (has_key ? options.certificate : options.key).string(),
                                  (has_key ? options.key : options.certificate).string())));
  }
  if (!has_certificate || !has_key) {
    auto fresh = generate(options, clock);
    if (fresh) log::log(Event::tls_cert_generated, {{"fingerprint_sha256", fresh->fingerprint}});
    return fresh;
  }

  if (auto done = check_key_mode(options.key); !done) return fail(done.error());
  auto pair = read_pair(options);
  if (!pair) return fail(pair.error());
  const auto sound = crypto::check_pair(*pair);
  const bool torn = !sound && sound.error().code == crypto::Errc::pair_mismatch && generated;
  if (!sound && !(torn && options.may_regenerate)) {
    return fail(Error(sound.error().code, options.certificate.string()));
  }
  auto material = material_of(std::move(*pair));
  if (!material) return material;
  if (torn) return regenerate(options, material->fingerprint, clock);
  if (!options.seed_host || !options.may_regenerate) return material;
  if (!generated) {
    log::log(Event::tls_operator_cert_in_use, {{"host", *options.seed_host}});
    return material;
  }
  const auto baked = read_file(marker_of(options));
  if (!baked) return fail(baked.error());
  if (*baked == *options.seed_host) return material;
  return regenerate(options, material->fingerprint, clock);
}

std::string certificate_host(const Environment& environment) {
  if (const auto host = non_empty(environment, "HOSTNAME")) return *host;
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) == 0 && name[0] != '\0') return name;
  return "portunus-server";
}

}  // namespace portunus::config
