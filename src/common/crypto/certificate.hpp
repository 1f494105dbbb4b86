#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"

namespace portunus::crypto {

/// The names a certificate vouches for.
struct SubjectNames {
  std::vector<std::string> dns;
  /// Canonical text, without brackets.
  std::vector<std::string> addresses;

  /// True when `host` (a name or an IP literal) is among them: names by
  /// net::matches_certificate_name, addresses only by an address entry.
  bool cover(std::string_view host) const;
};

/// SHA-256 over the DER of the first certificate of a PEM text, 64 lower-case hex digits: the pin.
Result<std::string> certificate_fingerprint(std::string_view pem);
Result<SubjectNames> certificate_names(std::string_view pem);

struct CertificatePair {
  std::string certificate_pem;
  std::string key_pem;
};

/// A self-signed ECDSA P-256 pair (PKCS#8 key, X.509 v3, SHA-256), valid from `now` for 3650 days.
/// CN = host; SANs = host, localhost, 127.0.0.1, ::1 and `extra_host` unless empty (IP SANs for
/// literals); a host with other characters than a name or address has gets no SAN. No
/// basicConstraints CA, so that deployed clients accept it as their only anchor
/// (control-wire 1.1, cli-and-config 5).
Result<CertificatePair> generate_self_signed(std::string_view host, std::string_view extra_host,
                                             SystemTime now);

/// The same for exactly one DNS name, which is CN and only SAN (portal 16).
Result<CertificatePair> generate_self_signed_for_name(std::string_view name, SystemTime now);

/// Chain and key of two PEM texts in their plainest form: the certificates alone, in their order
/// and at least one, and the first PKCS#8, PKCS#1 or SEC1 key, unencrypted and rewritten as PKCS#8,
/// which must belong to the first certificate (portal 16).
Result<CertificatePair> read_pair(std::string_view certificates_pem, std::string_view key_pem);

/// An error when either PEM is unreadable or the key does not belong to the certificate.
Result<> check_pair(const CertificatePair& pair);

}  // namespace portunus::crypto
