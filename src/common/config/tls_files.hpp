#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/config/environment.hpp"
#include "common/crypto/certificate.hpp"

namespace portunus::config {

/// The server's TLS pair on disk and in memory (cli-and-config 5).
struct TlsMaterial {
  crypto::CertificatePair pair;
  std::string fingerprint;  ///< the pin, 64 lower-case hex
  crypto::SubjectNames names;
};

struct TlsFilesOptions {
  std::filesystem::path certificate;
  std::filesystem::path key;
  /// The name a generated certificate is made for; see certificate_host().
  std::string host;
  /// Host of the advertised-endpoint seed, if any.
  std::optional<std::string> seed_host;
  /// True for `serve`: a generated pair made for another seed host is replaced. Commands only read.
  bool may_regenerate = false;
};

/// Loads the pair, making it when both files are missing. A generated pair carries a marker file
/// beside the certificate, and half of it is made again; without the marker the pair is the
/// operator's and is never changed, half of it Errc::incomplete_pair. Logs tls.cert_generated,
/// tls.cert_regenerated, tls.operator_cert_in_use.
Result<TlsMaterial> prepare_tls_files(const TlsFilesOptions& options, const Clock& clock);

/// $HOSTNAME, else the host's own name, else "portunus-server".
std::string certificate_host(const Environment& environment);

}  // namespace portunus::config
