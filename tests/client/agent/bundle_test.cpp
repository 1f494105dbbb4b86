#include "client/agent/bundle.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "client/agent/errc.hpp"
#include "common/crypto/certificate.hpp"

namespace portunus::client::agent {
namespace {

using Json = nlohmann::json;

const crypto::CertificatePair& pair() {
  static const auto made =
      *crypto::generate_self_signed("edge.example", "", SystemClock::instance().now());
  return made;
}

Json minimal() {
  return {{"client_name", "edge-01"},
          {"server_endpoint", "vpn.example:7443"},
          {"server_cert_sha256", std::string(64, 'A')},
          {"token", "tkn"}};
}

Error refusal(const Json& json) {
  const auto result = parse_bundle(json.dump());
  EXPECT_FALSE(result) << json.dump();
  return result ? Error(Errc::timed_out) : result.error().error;
}

TEST(Bundle, the_least_that_works) {
  const auto bundle = parse_bundle(minimal().dump());
  ASSERT_TRUE(bundle) << bundle.error().error.text();
  EXPECT_EQ(bundle->client_name, "edge-01");
  EXPECT_EQ(bundle->client_id, "");
  EXPECT_EQ(bundle->server.text(), "vpn.example:7443");
  EXPECT_EQ(bundle->pin, std::string(64, 'a'));  // compared case-insensitively
  EXPECT_EQ(bundle->certificate_pem, "");
  EXPECT_EQ(bundle->token.reveal(), "tkn");
}

TEST(Bundle, everything_survives_the_file) {
  Json json = minimal();
  json["version"] = 1;
  json["client_id"] = "01J00000000000000000000001";
  json["server_cert_sha256"] = *crypto::certificate_fingerprint(pair().certificate_pem);
  json["server_cert_pem"] = pair().certificate_pem;
  const auto bundle = parse_bundle(json.dump());
  ASSERT_TRUE(bundle) << bundle.error().error.text();
  EXPECT_EQ(Json::parse(bundle_text(*bundle)), json);
  json["added_later"] = {{"by", "someone"}};
  EXPECT_TRUE(parse_bundle(json.dump()));
}

TEST(Bundle, versions_other_than_1_are_refused) {
  Json json = minimal();
  json["version"] = 2;
  EXPECT_EQ(refusal(json).text(), "unsupported bundle version: 2");
  json["version"] = -1;
  EXPECT_EQ(refusal(json).text(), "unsupported bundle version: -1");
  json["version"] = "1";
  EXPECT_EQ(refusal(json).code, Errc::bundle_malformed);
}

TEST(Bundle, a_certificate_that_is_not_the_pin_is_refused_with_both_hashes) {
  Json json = minimal();
  json["server_cert_pem"] = pair().certificate_pem;
  const auto result = parse_bundle(json.dump());
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().error.text().starts_with("bundle pin mismatch: "));
  EXPECT_EQ(result.error().expected, std::string(64, 'a'));
  EXPECT_EQ(result.error().got, *crypto::certificate_fingerprint(pair().certificate_pem));
  json["server_cert_pem"] = "no certificate";
  EXPECT_EQ(refusal(json).code, Errc::bundle_malformed);
}

TEST(Bundle, malformed_members_are_refused) {
  for (const char* key : {"client_name", "server_endpoint", "server_cert_sha256", "token"}) {
    Json json = minimal();
    json.erase(key);
    EXPECT_EQ(refusal(json).text(), "bundle malformed: missing field " + std::string(key));
    json[key] = 5;
    EXPECT_EQ(refusal(json).code, Errc::bundle_malformed) << key;
    json[key] = "";
    EXPECT_EQ(refusal(json).code, Errc::bundle_malformed) << key;
  }
  const std::pair<const char*, std::string> bad[] = {{"client_name", " \t"},
                                                     {"client_name", "a\nb"},
                                                     {"client_name", std::string(256, 'x')},
                                                     {"client_id", "not-a-ulid"},
                                                     {"server_endpoint", "host"},
                                                     {"server_endpoint", "host:0"},
                                                     {"server_endpoint", "a_b:1"},
                                                     {"server_endpoint", "::1:7443"},
                                                     {"server_cert_sha256", std::string(63, 'a')},
                                                     {"server_cert_sha256", std::string(64, 'g')},
                                                     {"token", "new\nline"},
                                                     {"token", "\xc3\xa9"}};
  for (const auto& [key, value] : bad) {
    Json json = minimal();
    json[key] = value;
    EXPECT_EQ(refusal(json).code, Errc::bundle_malformed) << key << " " << value;
  }
}

TEST(Bundle, any_name_of_a_server_is_taken) {
  Json json = minimal();
  json["client_name"] = "Zürich edge #1";
  EXPECT_TRUE(parse_bundle(json.dump()));
}

TEST(Bundle, what_is_no_object_is_refused) {
  for (const char* text : {"", "{", "[]", "null", "\"x\"", "\xff\xfe{}", "{} trailing"}) {
    const auto result = parse_bundle(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().error.code, Errc::bundle_malformed);
  }
}

TEST(ServerAddress, names_addresses_and_nothing_else) {
  EXPECT_EQ(ServerAddress::parse("[2001:db8::1]:7443")->host(), "2001:db8::1");
  EXPECT_TRUE(ServerAddress::parse("[::1]:1")->literal());
  EXPECT_TRUE(ServerAddress::parse("127.0.0.1:1")->literal());
  EXPECT_FALSE(ServerAddress::parse("localhost:1")->literal());
  for (const char* bad : {"", ":1", "a:", "a:65536", "a:+1", "a:01", "[a]:1", "[127.0.0.1]:1",
                          "::1:1", "a b:1", "12:1", "a.-b:1", "[]:1"}) {
    EXPECT_FALSE(ServerAddress::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace portunus::client::agent
