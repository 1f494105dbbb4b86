#include "server/auth/advertised_endpoint.hpp"

#include <gtest/gtest.h>

#include "server/auth/errc.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::server::auth {
namespace {

using std::nullopt;
using std::optional;

TEST(AdvertisedEndpoint, CLI_6_grammar) {
  for (const char* good :
       {"d.example.com:7443", "10.0.0.1:1", "localhost:65535", "a-b:80", "1a:1"}) {
    EXPECT_TRUE(AdvertisedEndpoint::well_formed(good)) << good;
  }
  for (const char* bad : {"",           "host",         "host:",           ":7443",    "host:0",
                          "host:65536", "host:07443",   "host:+1",         "host:-1",  "host: 80",
                          " host:80",   "ho st:80",     "https://host:80", "host:80/", "host/p:80",
                          "host?q:80",  "host#f:80",    "user@host:80",    "[::1]:80", "::1:80",
                          "-host:80",   "host-:80",     "ho_st:80",        "a..b:80",  "host.:80",
                          "1234:80",    "300.1.1.1:80", "host:80:90"}) {
    EXPECT_FALSE(AdvertisedEndpoint::well_formed(bad)) << bad;
  }
  std::string longest(63, 'a');
  for (int i = 0; i < 3; ++i) longest += "." + std::string(63, 'a');
  longest.resize(253);
  EXPECT_TRUE(AdvertisedEndpoint::well_formed(longest + ":7443"));
  EXPECT_FALSE(AdvertisedEndpoint::well_formed(longest + "a:7443"));
}

TEST(AdvertisedEndpoint, seed_host_is_the_text_before_the_last_colon) {
  EXPECT_EQ(AdvertisedEndpoint::seed_host("d.example.com:7443"), "d.example.com");
  EXPECT_EQ(AdvertisedEndpoint::seed_host(":7443"), nullopt);
  EXPECT_EQ(AdvertisedEndpoint::seed_host(":"), nullopt);
  EXPECT_EQ(AdvertisedEndpoint::seed_host(""), nullopt);
  EXPECT_EQ(AdvertisedEndpoint::seed_host("d.example.com"), nullopt);
}

struct TierCase {
  const char* name;
  optional<std::string> seed;
  optional<std::string> request_host;
  crypto::SubjectNames names;
  optional<std::string> endpoint;
  Errc error = Errc::endpoint_invalid;
};

TEST(AdvertisedEndpoint, CLI_6_tiers) {
  const crypto::SubjectNames names{{"d.example.com", "*.edge.example.com", "*.com"},
                                   {"127.0.0.1", "10.0.0.1"}};
  const TierCase cases[] = {
      {"seed", "d.example.com:9000", "10.0.0.1", names, "d.example.com:9000"},
      {"seed in another case", "D.Example.COM:9000", nullopt, names, "D.Example.COM:9000"},
      {"seed address", "10.0.0.1:9000", nullopt, names, "10.0.0.1:9000"},
      {"wildcard covers one label", "a.edge.example.com:9", nullopt, names, "a.edge.example.com:9"},
      {"but not two", "a.b.edge.example.com:9", "10.0.0.1", names, nullopt,
       Errc::endpoint_not_in_cert_san},
      {"nor over a bare parent", "example.com:9", nullopt, names, nullopt,
       Errc::endpoint_not_in_cert_san},
      {"malformed seed is a hard error", "d.example.com", "10.0.0.1", names, nullopt,
       Errc::endpoint_invalid},
      {"uncovered seed is a hard error", "other.org:1", "10.0.0.1", names, nullopt,
       Errc::endpoint_not_in_cert_san},
      {"address as a name", "10.0.0.2:1", nullopt, names, nullopt, Errc::endpoint_not_in_cert_san},
      {"empty seed", "", "d.example.com:7080", names, "d.example.com:7443"},
      {"host-less seed", ":7000", nullopt, names, "127.0.0.1:7443"},
      {"colon as seed", ":", nullopt, names, "127.0.0.1:7443"},
      {"derived, no port", nullopt, "d.example.com", names, "d.example.com:7443"},
      {"derived address", nullopt, "10.0.0.1:80", names, "10.0.0.1:7443"},
      {"derived uncovered falls through", nullopt, "other.org:80", names, "127.0.0.1:7443"},
      {"derived malformed falls through", nullopt, "[::1]:80", names, "127.0.0.1:7443"},
      {"derived empty falls through", nullopt, "", names, "127.0.0.1:7443"},
      {"nothing covered",
       nullopt,
       nullopt,
       {{"d.example.com"}, {}},
       nullopt,
       Errc::endpoint_not_in_cert_san},
  };
  for (const TierCase& c : cases) {
    const AdvertisedEndpoint advertised(c.seed, 7443, c.names);
    const auto resolved = advertised.resolve(nullopt, c.request_host);
    if (c.endpoint) {
      ASSERT_TRUE(resolved) << c.name << ": " << resolved.error().text();
      EXPECT_EQ(resolved->endpoint, *c.endpoint) << c.name;
    } else {
      ASSERT_FALSE(resolved) << c.name;
      EXPECT_EQ(resolved.error(), c.error) << c.name;
    }
  }
}

TEST(AdvertisedEndpoint, HTTP_11_an_override_comes_before_all_other_sources) {
  const crypto::SubjectNames names{{"d.example.com", "e.example.com"}, {"127.0.0.1"}};
  const AdvertisedEndpoint seeded("d.example.com:9000", 7443, names);
  const auto resolved = seeded.resolve("e.example.com:1", "d.example.com");
  ASSERT_TRUE(resolved);
  EXPECT_EQ(resolved->endpoint, "e.example.com:1");
  EXPECT_EQ(resolved->source, EndpointSource::override_);
  EXPECT_EQ(seeded.resolve(nullopt, "e.example.com")->source, EndpointSource::seed);
  // Malformed or not covered is a hard error, whatever other tiers have.
  EXPECT_EQ(seeded.resolve("e.example.com", nullopt).error(), Errc::endpoint_invalid);
  EXPECT_EQ(seeded.resolve("f.example.com:1", nullopt).error(), Errc::endpoint_not_in_cert_san);
}

TEST(AdvertisedEndpoint, HTTP_11_names_its_source) {
  const AdvertisedEndpoint advertised(nullopt, 7443, {{"d.example.com"}, {"127.0.0.1"}});
  EXPECT_EQ(advertised.resolve(nullopt, "d.example.com:80")->source, EndpointSource::derived);
  EXPECT_EQ(advertised.resolve(nullopt, nullopt)->source, EndpointSource::loopback);
  EXPECT_EQ(endpoint_source_name(EndpointSource::override_), "override");
  EXPECT_EQ(endpoint_source_name(EndpointSource::seed), "seed");
  EXPECT_EQ(endpoint_source_name(EndpointSource::derived), "derived");
  EXPECT_EQ(endpoint_source_name(EndpointSource::loopback), "loopback");
}

TEST(AdvertisedEndpoint, says_why_a_tier_fell_through) {
  const test::LogCapture log;
  const AdvertisedEndpoint advertised(nullopt, 7443, {{"d.example.com"}, {}});
  (void)advertised.resolve(nullopt, "other.org:7080");
  EXPECT_EQ(log.count("advertised.derive_uncovered", {"\"host\":\"other.org\""}), 1U);
  EXPECT_EQ(log.count("advertised.no_covered_candidate"), 1U);
}

}  // namespace
}  // namespace portunus::server::auth
