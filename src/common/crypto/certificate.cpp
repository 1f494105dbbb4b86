#include "common/crypto/certificate.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <memory>
#include <span>
#include <utility>

#include "common/base/hex.hpp"
#include "common/crypto/digest.hpp"
#include "common/crypto/errc.hpp"
#include "common/net/endpoint.hpp"
#include "common/net/hostname.hpp"

namespace portunus::crypto {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, Deleter<X509_free>>;
using PKey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "crypto"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::bad_certificate:
        return "not a PEM certificate";
      case Errc::bad_key:
        return "not a PEM private key";
      case Errc::pair_mismatch:
        return "the private key does not belong to the certificate";
      case Errc::generation_failed:
        return "key or certificate generation failed";
    }
    return "unknown";
  }
};

Bio memory_bio(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string bio_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

X509Ptr read_certificate(std::string_view pem) {
  return X509Ptr(PEM_read_bio_X509(memory_bio(pem).get(), nullptr, nullptr, nullptr));
}

/// In place of the library's own, which asks for a passphrase at the terminal.
int refuse_passphrase(char*, int, int, void*) {
  return -1;
}

PKey read_key(std::string_view pem) {
  return PKey(PEM_read_bio_PrivateKey(memory_bio(pem).get(), nullptr, refuse_passphrase, nullptr));
}

/// PKCS#8; empty when the library fails.
std::string key_text(EVP_PKEY* key) {
  const Bio out(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return {};
  }
  return bio_text(out.get());
}

/// Canonical text of an IP literal, or empty.
std::string canonical_address(std::string_view host) {
  const auto address = net::IpAddress::parse(host);
  return address ? address->text() : std::string{};
}

bool add_extension(X509* cert, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, cert, cert, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(cert, extension.get(), -1) == 1;
}

/// Anything else, a comma above all, would be read as the syntax of the extension list.
bool is_plain_name(std::string_view name) {
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':';
  });
}

std::string san_list(std::string_view host, std::string_view extra) {
  std::vector<std::string> entries;
  const auto add = [&](std::string_view name) {
    if (name.empty() || !is_plain_name(name)) return;
    const std::string address = canonical_address(name);
    std::string entry = address.empty() ? "DNS:" + std::string(name) : "IP:" + address;
    if (std::ranges::find(entries, entry) == entries.end()) entries.push_back(std::move(entry));
  };
  add(host);
  add("localhost");
  add("127.0.0.1");
  add("::1");
  add(extra);
  std::string out;
  for (const auto& entry : entries) out += (out.empty() ? "" : ",") + entry;
  return out;
}

Result<CertificatePair> self_sign(std::string_view host, const std::string& alt_names,
                                  SystemTime now) {
  const PKey key(EVP_EC_gen("P-256"));
  const X509Ptr cert(X509_new());
  if (!key || !cert) return fail(Errc::generation_failed);

  unsigned char serial_bytes[16];
  if (RAND_bytes(serial_bytes, sizeof serial_bytes) != 1) return fail(Errc::generation_failed);
  serial_bytes[0] = static_cast<unsigned char>((serial_bytes[0] & 0x3F) | 0x40);
  const std::unique_ptr<BIGNUM, Deleter<BN_free>> serial(
      BN_bin2bn(serial_bytes, sizeof serial_bytes, nullptr));
  BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(cert.get()));

  // A common name holds at most 64 characters; the SAN carries the whole host.
  const std::string common_name(host.substr(0, 64));
  X509_NAME* subject = X509_get_subject_name(cert.get());
  const auto start = static_cast<std::time_t>(to_unix_seconds(now));
  const bool built =
      X509_set_version(cert.get(), X509_VERSION_3) == 1 &&
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(common_name.data()),
                                 static_cast<int>(common_name.size()), -1, 0) == 1 &&
      X509_set_issuer_name(cert.get(), subject) == 1 &&
      ASN1_TIME_adj(X509_getm_notBefore(cert.get()), start, 0, 0) != nullptr &&
      ASN1_TIME_adj(X509_getm_notAfter(cert.get()), start, 3650, 0) != nullptr &&
      X509_set_pubkey(cert.get(), key.get()) == 1 &&
      add_extension(cert.get(), NID_subject_alt_name, alt_names) &&
      X509_sign(cert.get(), key.get(), EVP_sha256()) > 0;
  if (!built) return fail(Errc::generation_failed);

  const Bio cert_out(BIO_new(BIO_s_mem()));
  std::string key_pem = key_text(key.get());
  if (PEM_write_bio_X509(cert_out.get(), cert.get()) != 1 || key_pem.empty()) {
    return fail(Errc::generation_failed);
  }
  return CertificatePair{bio_text(cert_out.get()), std::move(key_pem)};
}

}  // namespace

const std::error_category& category() {
  static const Category instance;
  return instance;
}

bool SubjectNames::cover(std::string_view host) const {
  const std::string address = canonical_address(host);
  if (!address.empty()) return std::ranges::find(addresses, address) != addresses.end();
  return std::ranges::any_of(dns, [&](const std::string& pattern) {
    return net::matches_certificate_name(pattern, host);
  });
}

Result<std::string> certificate_fingerprint(std::string_view pem) {
  const X509Ptr cert = read_certificate(pem);
  if (!cert) return fail(Errc::bad_certificate);
  std::uint8_t hash[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (X509_digest(cert.get(), EVP_sha256(), hash, &length) != 1) {
    return fail(Errc::bad_certificate);
  }
  return hex_encode(std::span(hash, length));
}

Result<SubjectNames> certificate_names(std::string_view pem) {
  const X509Ptr cert = read_certificate(pem);
  if (!cert) return fail(Errc::bad_certificate);
  SubjectNames out;
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(cert.get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const auto* value = static_cast<ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    if (type != GEN_DNS && type != GEN_IPADD) continue;
    const auto* data = ASN1_STRING_get0_data(value);
    const int size = ASN1_STRING_length(value);
    if (type == GEN_DNS) {
      out.dns.emplace_back(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    } else if (size == 4 || size == 16) {
      char text[INET6_ADDRSTRLEN];
      ::inet_ntop(size == 4 ? AF_INET : AF_INET6, data, text, sizeof text);
      out.addresses.emplace_back(text);
    }
  }
  return out;
}

Result<CertificatePair> generate_self_signed(std::string_view host, std::string_view extra_host,
                                             SystemTime now) {
  return self_sign(host, san_list(host, extra_host), now);
}

Result<CertificatePair> generate_self_signed_for_name(std::string_view name, SystemTime now) {
  if (!is_plain_name(name)) return fail(Errc::generation_failed);
  return self_sign(name, "DNS:" + std::string(name), now);
}

Result<CertificatePair> read_pair(std::string_view certificates_pem, std::string_view key_pem) {
  const Bio in = memory_bio(certificates_pem);
  const Bio out(BIO_new(BIO_s_mem()));
  X509Ptr leaf;
  ERR_clear_error();
  while (X509Ptr next{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)}) {
    if (PEM_write_bio_X509(out.get(), next.get()) != 1) return fail(Errc::bad_certificate);
    if (!leaf) leaf = std::move(next);
  }
  // Anything but "no further block" is a certificate that cannot be read.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!leaf || !at_end) return fail(Errc::bad_certificate);
  const PKey key = read_key(key_pem);
  if (!key) return fail(Errc::bad_key);
  if (X509_check_private_key(leaf.get(), key.get()) != 1) return fail(Errc::pair_mismatch);
  std::string plain_key = key_text(key.get());
  if (plain_key.empty()) return fail(Errc::bad_key);
  return CertificatePair{bio_text(out.get()), std::move(plain_key)};
}

Result<> check_pair(const CertificatePair& pair) {
  const X509Ptr cert = read_certificate(pair.certificate_pem);
  if (!cert) return fail(Errc::bad_certificate);
  const PKey key = read_key(pair.key_pem);
  if (!key) return fail(Errc::bad_key);
  if (X509_check_private_key(cert.get(), key.get()) != 1) return fail(Errc::pair_mismatch);
  return {};
}

}  // namespace portunus::crypto
