// Contract: docs/contracts/portal.md, section 18, "TLS trust", and section 2 as a client reads it.
#include "portal/client/settings.hpp"

#include <gtest/gtest.h>

#include <string>

#include "portal/client/errc.hpp"
#include "portal/config/errc.hpp"

namespace portunus::portal::client {
namespace {

const std::string kPin(64, 'a');

Result<ClientSettings> read(std::string_view url, const ClientOptions& options = {}) {
  return read_client_settings(url, options);
}

template <class E>
void expect_error(const Result<ClientSettings>& result, E code) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, make_error_code(code)) << result.error().text();
}

TEST(Portal18Settings, PlainUrlTakesTheDefaults) {
  const auto settings = read("portal://secret@relay.example:2077");
  ASSERT_TRUE(settings) << settings.error().text();
  EXPECT_EQ(settings->key.reveal(), "secret");
  EXPECT_EQ(settings->host, "relay.example");
  EXPECT_EQ(settings->port, 2077);
  EXPECT_EQ(settings->spec, "auto");
  EXPECT_EQ(settings->alpn, "now/1");
  EXPECT_EQ(settings->trust, Trust::system);
  EXPECT_EQ(settings->pool, 5U);
  EXPECT_EQ(settings->endpoint_text(), "relay.example:2077");
}

TEST(Portal18Settings, SameDecodingAsThePortal) {
  const auto settings = read("portal://sec%20ret@[2001:DB8::1]:1?spec=edge%2Ba&alpn=x%2F2&rate=7");
  ASSERT_TRUE(settings) << settings.error().text();
  EXPECT_EQ(settings->key.reveal(), "sec ret");
  EXPECT_EQ(settings->spec, "edge+a");
  EXPECT_EQ(settings->alpn, "x/2");
  EXPECT_EQ(settings->endpoint_text(), "[2001:db8::1]:1");
}

TEST(Portal18Settings, PortalsOwnRulesComeFirst) {
  expect_error(read("http://secret@relay.example:1"), config::Errc::bad_scheme);
  expect_error(read("portal://relay.example:1"), config::Errc::bad_key);
  expect_error(read("portal://a:b@relay.example:1"), config::Errc::password_given);
  expect_error(read("portal://secret@relay.example:1?spec=" + std::string(256, 'x')),
               config::Errc::bad_spec);
}

TEST(Portal18Settings, ClientNeedsAHostAndAPort) {
  expect_error(read("portal://secret@:2077"), Errc::no_host);
  expect_error(read("portal://secret@relay.example:0"), Errc::no_port);
}

TEST(Portal18Trust, PinOfTheUrlOrOfAnOption) {
  const auto by_url = read("portal://k@h.example:1?pin=" + kPin);
  ASSERT_TRUE(by_url);
  EXPECT_EQ(by_url->trust, Trust::pin);
  EXPECT_EQ(by_url->pin, kPin);
  const auto by_option = read("portal://k@h.example:1?pin=" + kPin, {.pin = std::string(64, 'B')});
  ASSERT_TRUE(by_option);
  EXPECT_EQ(by_option->pin, std::string(64, 'b')) << "the option outranks, in lower case";
}

TEST(Portal18Trust, BadPinIsAnErrorAndNeverNoPin) {
  for (const std::string& pin :
       {std::string(63, 'a'), std::string(66, 'a'), std::string(64, 'g'), std::string()}) {
    expect_error(read("portal://k@h.example:1", {.pin = pin}), Errc::bad_pin);
  }
  expect_error(read("portal://k@h.example:1?pin=abc"), Errc::bad_pin);
  // What the option says is wrong even though the URL's is right.
  expect_error(read("portal://k@h.example:1?pin=" + kPin, {.pin = ""}), Errc::bad_pin);
}

TEST(Portal18Trust, TrustInAnythingMustBeAskedForAndStandsAlone) {
  const auto open = read("portal://k@h.example:1?tls=1", {.insecure = true});
  ASSERT_TRUE(open);
  EXPECT_EQ(open->trust, Trust::anything);
  EXPECT_EQ(read("portal://k@h.example:1?tls=1")->trust, Trust::system);
  expect_error(read("portal://k@h.example:1?pin=" + kPin, {.insecure = true}),
               Errc::trust_conflict);
}

TEST(Portal18WarmPool, SizeIsZeroToNine) {
  EXPECT_EQ(read("portal://k@h.example:1", {.pool = 0})->pool, 0U);
  EXPECT_EQ(read("portal://k@h.example:1", {.pool = 9})->pool, 9U);
  expect_error(read("portal://k@h.example:1", {.pool = 10}), Errc::bad_pool_size);
}

}  // namespace
}  // namespace portunus::portal::client
