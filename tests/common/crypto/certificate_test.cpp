#include "common/crypto/certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/crypto/errc.hpp"

namespace portunus::crypto {
namespace {

using testing::ElementsAre;

const SystemTime kNow = from_unix_micros(1'800'000'000'000'000);

TEST(Certificate, a_generated_pair_vouches_for_its_hosts_and_loopback) {
  const auto pair = generate_self_signed("edge-host", "d.example.com", kNow);
  ASSERT_TRUE(pair);
  EXPECT_TRUE(check_pair(*pair));
  EXPECT_TRUE(pair->key_pem.starts_with("-----BEGIN PRIVATE KEY-----"));
  const auto names = certificate_names(pair->certificate_pem);
  ASSERT_TRUE(names);
  EXPECT_THAT(names->dns, ElementsAre("edge-host", "localhost", "d.example.com"));
  EXPECT_THAT(names->addresses, ElementsAre("127.0.0.1", "::1"));
  EXPECT_TRUE(names->cover("D.example.com"));
  EXPECT_TRUE(names->cover("127.0.0.1"));
  EXPECT_FALSE(names->cover("127.0.0.2"));
  EXPECT_FALSE(names->cover("other"));
}

TEST(Certificate, literals_become_address_entries_and_nothing_stands_twice) {
  const auto pair = generate_self_signed("localhost", "192.0.2.7", kNow);
  ASSERT_TRUE(pair);
  const auto names = certificate_names(pair->certificate_pem);
  EXPECT_THAT(names->dns, ElementsAre("localhost"));
  EXPECT_THAT(names->addresses, ElementsAre("127.0.0.1", "::1", "192.0.2.7"));
}

TEST(Certificate, a_host_is_never_read_as_extension_syntax) {
  const auto pair = generate_self_signed("box", "a.example,DNS:evil.example", kNow);
  ASSERT_TRUE(pair);
  const auto names = certificate_names(pair->certificate_pem);
  EXPECT_THAT(names->dns, ElementsAre("box", "localhost"));
}

TEST(Certificate, an_address_is_never_covered_by_a_name) {
  SubjectNames names;
  names.dns = {"10.0.0.1", "*.example.com"};
  EXPECT_FALSE(names.cover("10.0.0.1"));
  EXPECT_TRUE(names.cover("a.example.com"));
}

TEST(Certificate, the_fingerprint_is_64_hex_and_stable) {
  const auto pair = generate_self_signed("a", "", kNow);
  const auto other = generate_self_signed("a", "", kNow);
  const auto print = certificate_fingerprint(pair->certificate_pem);
  ASSERT_TRUE(print);
  EXPECT_EQ(print->size(), 64U);
  EXPECT_EQ(*certificate_fingerprint(pair->certificate_pem), *print);
  EXPECT_NE(*certificate_fingerprint(other->certificate_pem), *print);
}

TEST(Certificate, bad_material_is_refused_by_kind) {
  const auto a = generate_self_signed("a", "", kNow);
  const auto b = generate_self_signed("b", "", kNow);
  EXPECT_EQ(certificate_fingerprint("junk").error().code, Errc::bad_certificate);
  EXPECT_EQ(certificate_names("").error().code, Errc::bad_certificate);
  EXPECT_EQ(check_pair({"junk", a->key_pem}).error().code, Errc::bad_certificate);
  EXPECT_EQ(check_pair({a->certificate_pem, "junk"}).error().code, Errc::bad_key);
  EXPECT_EQ(check_pair({a->certificate_pem, b->key_pem}).error().code, Errc::pair_mismatch);
}

TEST(Certificate, a_host_longer_than_a_common_name_is_kept_in_the_alternative_names) {
  const std::string host = std::string(60, 'a') + "." + std::string(60, 'b');
  const auto pair = generate_self_signed(host, "", kNow);
  ASSERT_TRUE(pair);
  EXPECT_TRUE(certificate_names(pair->certificate_pem)->cover(host));
}

}  // namespace
}  // namespace portunus::crypto
