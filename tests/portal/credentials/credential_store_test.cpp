// Portal contract 16: what a pair may look like, and when it is read again.

#include "portal/credentials/credential_store.hpp"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "common/crypto/certificate.hpp"
#include "common/crypto/errc.hpp"
#include "portal/credentials/errc.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"

namespace portunus::portal::credentials {
namespace {

using namespace std::chrono_literals;
using portunus::test::TempDir;
using portunus::test::write_file;

const SteadyTime kStart{1000s};

crypto::CertificatePair make_pair(const std::string& name = "portal.test") {
  return *crypto::generate_self_signed_for_name(name, SystemClock::instance().now());
}

/// The key in its type's own format: SEC1 for EC.
std::string traditional(const std::string& pkcs8) {
  BIO* in = BIO_new_mem_buf(pkcs8.data(), static_cast<int>(pkcs8.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey_traditional(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(out);
  BIO_free(in);
  EVP_PKEY_free(key);
  return text;
}

struct Files {
  explicit Files(const crypto::CertificatePair& pair) { write(pair); }
  void write(const crypto::CertificatePair& pair) {
    write_file(dir / "crt", pair.certificate_pem);
    write_file(dir / "key", pair.key_pem);
  }
  Result<Pair> read() const { return read_pair(dir / "crt", dir / "key"); }
  CredentialStore::Files settings(std::chrono::nanoseconds interval) const {
    return {.certificate_path = dir / "crt", .key_path = dir / "key", .interval = interval};
  }
  TempDir dir;
};

TEST(PortalCredentials, Section16_SelfSignedIsNewEachTime) {
  const auto one = make_self_signed(SystemClock::instance().now());
  const auto two = make_self_signed(SystemClock::instance().now());
  ASSERT_TRUE(one && two);
  EXPECT_NE(one->leaf_sha256, two->leaf_sha256);
  EXPECT_EQ(crypto::certificate_names(one->certificates_pem)->dns,
            std::vector<std::string>{"localhost"});
}

TEST(PortalCredentials, Section16_AChainKeepsItsOrderAndLosesItsProse) {
  const auto leaf = make_pair("leaf.test");
  const auto issuer = make_pair("issuer.test");
  Files files(leaf);
  write_file(files.dir / "crt",
             "prose\n" + leaf.certificate_pem + "more prose\n" + issuer.certificate_pem);
  const auto pair = files.read();
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->certificates_pem, leaf.certificate_pem + issuer.certificate_pem);
  EXPECT_EQ(pair->leaf_sha256, *crypto::certificate_fingerprint(leaf.certificate_pem));
}

TEST(PortalCredentials, Section16_TheFirstKeyCountsInAnyFormat) {
  const auto pair = make_pair();
  Files files(pair);
  const std::string sec1 = traditional(pair.key_pem);
  ASSERT_NE(sec1.find("BEGIN EC PRIVATE KEY"), std::string::npos);
  const std::string parameters =
      "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  for (const std::string& text :
       {pair.key_pem, sec1, parameters + sec1, pair.certificate_pem + pair.key_pem,
        pair.key_pem + make_pair().key_pem}) {
    write_file(files.dir / "key", text);
    const auto read = files.read();
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->key_pem, pair.key_pem) << "always PKCS#8";
  }
  write_file(files.dir / "key", make_pair().key_pem + pair.key_pem);
  EXPECT_TRUE(files.read().error() == crypto::make_error_code(crypto::Errc::pair_mismatch));
}

TEST(PortalCredentials, Section16_WhatIsNoPairIsRefused) {
  const auto pair = make_pair();
  Files files(pair);
  write_file(files.dir / "crt", "");
  EXPECT_TRUE(files.read().error() == crypto::make_error_code(crypto::Errc::bad_certificate));
  write_file(
      files.dir / "crt",
      pair.certificate_pem + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  EXPECT_TRUE(files.read().error() == crypto::make_error_code(crypto::Errc::bad_certificate));
  files.write(pair);
  write_file(files.dir / "key", pair.certificate_pem);
  EXPECT_TRUE(files.read().error() == crypto::make_error_code(crypto::Errc::bad_key));
  EXPECT_TRUE(read_pair("", files.dir / "key").error() ==
              make_error_code(Errc::unreadable_certificate));
  EXPECT_TRUE(read_pair(files.dir / "crt", files.dir / "none").error() ==
              make_error_code(Errc::unreadable_key));
}

TEST(PortalCredentials, Section16_AnEncryptedKeyAsksNobody) {
  const auto pair = make_pair();
  Files files(pair);
  BIO* in = BIO_new_mem_buf(pair.key_pem.data(), static_cast<int>(pair.key_pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  BIO* out = BIO_new(BIO_s_mem());
  char pass[] = "pass";
  PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_128_cbc(), pass, 4, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  write_file(files.dir / "key", std::string(data, static_cast<std::size_t>(size)));
  BIO_free(out);
  BIO_free(in);
  EVP_PKEY_free(key);
  EXPECT_TRUE(files.read().error() == crypto::make_error_code(crypto::Errc::bad_key));
}

TEST(PortalCredentials, Section16_TheIntervalCountsFromStartAndFromTheLastAttempt) {
  Files files(make_pair());
  std::vector<bool> attempts;
  CredentialStore store(*files.read(), files.settings(10s), kStart,
                        [&](const Result<>& outcome) { attempts.push_back(outcome.has_value()); });
  const auto first = store.current();
  files.write(make_pair());
  store.on_client_hello(kStart + 10s - 1ns);
  EXPECT_TRUE(attempts.empty());
  store.on_client_hello(kStart + 10s);
  EXPECT_EQ(attempts, std::vector<bool>{true});
  EXPECT_NE(store.current()->leaf_sha256, first->leaf_sha256);
  EXPECT_EQ(store.generation(), 2U);
  EXPECT_EQ(store.current()->generation, 2U);
  write_file(files.dir / "key", "broken");
  store.on_client_hello(kStart + 19s);
  EXPECT_EQ(attempts.size(), 1U);
  store.on_client_hello(kStart + 20s);
  EXPECT_EQ(attempts, (std::vector<bool>{true, false}));
  EXPECT_EQ(store.generation(), 2U) << "the old pair stays";
  store.on_client_hello(kStart + 29s);
  EXPECT_EQ(attempts.size(), 2U) << "a failure restarts the interval too";
}

TEST(PortalCredentials, Section16_APairThatNoCarrierTakesIsAFailureAndTheOldOneStays) {
  Files files(make_pair());
  std::vector<bool> outcomes;
  bool usable = false;
  CredentialStore store(
      *files.read(), files.settings(0s), kStart,
      [&](const Result<>& outcome) { outcomes.push_back(outcome.has_value()); },
      [&](const Pair&) { return usable ? Result<>{} : fail(Errc::unreadable_key); });
  const auto first = store.current()->leaf_sha256;
  files.write(make_pair());
  store.on_client_hello(kStart + 1s);
  EXPECT_EQ(store.current()->leaf_sha256, first);
  EXPECT_EQ(store.generation(), 1U);
  usable = true;
  store.on_client_hello(kStart + 2s);
  EXPECT_NE(store.current()->leaf_sha256, first);
  EXPECT_EQ(outcomes, (std::vector<bool>{false, true}));
}

TEST(PortalCredentials, Section16_SelfSignedIsNeverReloaded) {
  CredentialStore store(*make_self_signed(SystemClock::instance().now()));
  store.on_client_hello(kStart + std::chrono::hours(100000));
  EXPECT_EQ(store.generation(), 1U);
}

TEST(PortalCredentials, Section15_AnEndlessIntervalIsNeverOver) {
  Files files(make_pair());
  int attempts = 0;
  CredentialStore store(*files.read(), files.settings(std::chrono::nanoseconds::max()), kStart,
                        [&](const Result<>&) { ++attempts; });
  store.on_client_hello(kStart + std::chrono::hours(1000));
  EXPECT_EQ(attempts, 0);
}

TEST(PortalCredentials, Section16_ManyThreadsOneReader) {
  Files files(make_pair());
  std::atomic<int> inside{0};
  std::atomic<int> attempts{0};
  CredentialStore store(*files.read(), files.settings(0s), kStart, [&](const Result<>&) {
    EXPECT_EQ(inside.fetch_add(1), 0);
    ++attempts;
    inside.fetch_sub(1);
  });
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        store.on_client_hello(kStart + std::chrono::seconds(i));
        EXPECT_TRUE(store.current());
      }
    });
  }
  threads.clear();
  EXPECT_GT(attempts, 0);
  EXPECT_EQ(store.generation(), static_cast<std::uint64_t>(attempts) + 1);
}

}  // namespace
}  // namespace portunus::portal::credentials
