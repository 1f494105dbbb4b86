#include "client/agent/enroll_uri.hpp"

#include <gtest/gtest.h>

#include <string>

#include "common/base/hex.hpp"
#include "common/crypto/certificate.hpp"

namespace portunus::client::agent {
namespace {

const std::string kPin(64, 'a');
const std::string kGood = "portunus://vpn.example:7443/enroll?pin=sha256:" + kPin + "&code=c0de";

std::string fault(const std::string& uri) {
  const auto parsed = parse_enroll_uri(uri);
  return parsed ? "" : parsed.error().text();
}

std::string with_query(const std::string& query) {
  return "portunus://vpn.example:7443/enroll?" + query;
}

TEST(EnrollUri, the_least_that_works) {
  const auto uri = parse_enroll_uri(kGood);
  ASSERT_TRUE(uri) << uri.error().text();
  EXPECT_EQ(uri->server.text(), "vpn.example:7443");
  EXPECT_EQ(uri->pin, kPin);
  EXPECT_EQ(uri->code.reveal(), "c0de");
  EXPECT_EQ(uri->certificate_pem, "");
}

TEST(EnrollUri, order_case_unknown_and_repeated_keys) {
  const auto uri = parse_enroll_uri(
      with_query("code=old&x=1=2&pin=sha256:" + std::string(64, 'A') + "&code=n=ew&=&y="));
  ASSERT_TRUE(uri) << uri.error().text();
  EXPECT_EQ(uri->pin, kPin);
  EXPECT_EQ(uri->code.reveal(), "n=ew");  // the last value, split at the first "="
}

TEST(EnrollUri, there_is_no_percent_decoding) {
  EXPECT_EQ(parse_enroll_uri(with_query("pin=sha256:" + kPin + "&code=%41"))->code.reveal(), "%41");
}

TEST(EnrollUri, a_certificate_is_unpadded_base64url_of_its_pem) {
  const auto pair = *crypto::generate_self_signed("x", "", SystemClock::instance().now());
  const auto uri =
      parse_enroll_uri(kGood + "&cert=" + base64url_encode(as_bytes(pair.certificate_pem)));
  ASSERT_TRUE(uri) << uri.error().text();
  EXPECT_EQ(uri->certificate_pem, pair.certificate_pem);
  for (const std::string bad : {"", "AAAA", "!!!!", "QQ=="}) {
    EXPECT_EQ(fault(kGood + "&cert=" + bad), "bad enrollment URI certificate") << bad;
  }
}

TEST(EnrollUri, every_fault_has_its_text) {
  EXPECT_EQ(fault(""), "bad enrollment URI scheme");
  EXPECT_EQ(fault("https://h:1/enroll?a=b"), "bad enrollment URI scheme");
  EXPECT_EQ(fault("Portunus://h:1/enroll?a=b"), "bad enrollment URI scheme");
  EXPECT_EQ(fault("portunus://h:1/enroll"), "missing enrollment URI query");
  for (const char* place : {"h:1/", "h:1", "/enroll", "h:1/x/enroll", "h:1/enroll/", "h/enroll"}) {
    EXPECT_EQ(fault("portunus://" + std::string(place) + "?a=b"), "bad enrollment URI path")
        << place;
  }
  EXPECT_EQ(fault(with_query("")), "malformed enrollment URI query pair");
  EXPECT_EQ(fault(kGood + "&"), "malformed enrollment URI query pair");
  EXPECT_EQ(fault(kGood + "&cert"), "malformed enrollment URI query pair");
  EXPECT_EQ(fault(with_query("code=x")), "missing enrollment URI field: pin");
  EXPECT_EQ(fault(with_query("pin=sha256:" + kPin)), "missing enrollment URI field: code");
  EXPECT_EQ(fault(with_query("code=&pin=sha256:" + kPin)), "missing enrollment URI field: code");
  for (const std::string& pin : {kPin, "sha256:" + kPin + "0", std::string("sha256:"),
                                 "sha256:" + std::string(64, 'g'), "SHA256:" + kPin}) {
    EXPECT_EQ(fault(with_query("code=x&pin=" + pin)), "bad enrollment URI pin") << pin;
  }
  EXPECT_EQ(fault(with_query("pin=sha256:" + kPin + "&code=a b")), "bad enrollment URI code");
  EXPECT_EQ(fault(with_query("pin=sha256:" + kPin + "&code=" + std::string(257, 'x'))),
            "bad enrollment URI code");
}

}  // namespace
}  // namespace portunus::client::agent
