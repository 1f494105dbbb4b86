#include "server/auth/endpoint_settings.hpp"

#include "server/store/connection.hpp"
#include "tests/server/auth/auth_fixture.hpp"

// The override of the advertised endpoint, and what enrollments make of it (http-api 11).

namespace portunus::server::auth {
namespace {

class EndpointSettingsTest : public AuthFixture {
 protected:
  EndpointSettingsTest() { restart("d.example.com:7443", kNames); }
  /// As a server with this seed and certificate.
  void restart(std::optional<std::string> seed, crypto::SubjectNames names) {
    make_service(std::move(seed), std::move(names));
    settings_ = std::make_unique<EndpointSettings>(*store_, service_->endpoint());
  }
  Result<EndpointView> set(std::optional<std::string> endpoint) {
    return io_.run(settings_->set(std::move(endpoint)));
  }
  EndpointView view() { return io_.run(settings_->view()).value(); }
  std::string enrolled_endpoint(const std::string& name) {
    const auto issued = enroll(name);
    if (!issued) return issued.error().code.message();
    constexpr std::size_t kScheme = 11;  // "portunus://"
    return issued->uri.substr(kScheme, issued->uri.find('/', kScheme) - kScheme);
  }

  inline static const crypto::SubjectNames kNames{{"d.example.com", "*.edges.example.com"},
                                                  {"127.0.0.1", "10.0.0.1"}};
  std::unique_ptr<EndpointSettings> settings_;
};

TEST_F(EndpointSettingsTest, HTTP_11_the_view_says_where_the_endpoint_comes_from) {
  EXPECT_EQ(view().override_endpoint, std::nullopt);
  EXPECT_EQ(view().effective->endpoint, "d.example.com:7443");
  EXPECT_EQ(view().effective->source, EndpointSource::seed);
  EXPECT_EQ(view().diagnostic, std::nullopt);

  const auto set_view = set("a.edges.example.com:1").value();
  EXPECT_EQ(set_view.override_endpoint, "a.edges.example.com:1");
  EXPECT_EQ(set_view.effective->endpoint, "a.edges.example.com:1");
  EXPECT_EQ(set_view.effective->source, EndpointSource::override_);
  EXPECT_EQ(view().override_endpoint, "a.edges.example.com:1");

  EXPECT_EQ(set(std::nullopt)->override_endpoint, std::nullopt);
  restart(std::nullopt, kNames);
  EXPECT_EQ(view().effective->endpoint, "127.0.0.1:7443");
  EXPECT_EQ(view().effective->source, EndpointSource::loopback);
}

TEST_F(EndpointSettingsTest, HTTP_11_nothing_and_the_empty_text_clear) {
  for (const std::optional<std::string>& clearing :
       {std::optional<std::string>(), std::optional<std::string>("")}) {
    ASSERT_TRUE(set("10.0.0.1:9000"));
    EXPECT_EQ(set(clearing)->override_endpoint, std::nullopt);
    EXPECT_EQ(view().effective->source, EndpointSource::seed);
  }
}

TEST_F(EndpointSettingsTest, HTTP_11_nothing_is_stored_on_error) {
  ASSERT_TRUE(set("10.0.0.1:9000"));
  for (const char* bad : {" ", "d.example.com", "d.example.com:0", "d.example.com:07443",
                          "https://d.example.com:1", "[::1]:1", "d.example.com:1/"}) {
    EXPECT_EQ(set(bad).error(), Errc::endpoint_invalid) << bad;
  }
  for (const char* bad :
       {"other.example.com:1", "edges.example.com:1", "a.b.edges.example.com:1", "10.0.0.2:1"}) {
    EXPECT_EQ(set(bad).error(), Errc::endpoint_not_in_cert_san) << bad;
  }
  EXPECT_EQ(view().override_endpoint, "10.0.0.1:9000");
}

TEST_F(EndpointSettingsTest, HTTP_11_an_endpoint_that_no_longer_serves_is_diagnosed_and_refused) {
  ASSERT_TRUE(set("10.0.0.1:9000"));
  restart("d.example.com:7443", {{"d.example.com"}, {}});  // another certificate
  EXPECT_EQ(view().override_endpoint, "10.0.0.1:9000");
  EXPECT_FALSE(view().effective);
  EXPECT_EQ(view().diagnostic, "endpoint_not_in_cert_san: 10.0.0.1:9000");
  EXPECT_EQ(enrolled_endpoint("edge-01"), "endpoint_not_in_cert_san");
  ASSERT_TRUE(set(std::nullopt));
  EXPECT_EQ(enrolled_endpoint("edge-01"), "d.example.com:7443");
}

TEST_F(EndpointSettingsTest, HTTP_11_a_seed_that_does_not_serve_is_diagnosed) {
  restart("not an endpoint", kNames);
  EXPECT_FALSE(view().effective);
  EXPECT_EQ(view().diagnostic, "endpoint_invalid: not an endpoint");
  EXPECT_EQ(set("10.0.0.1:1")->diagnostic, std::nullopt);
}

TEST_F(EndpointSettingsTest, HTTP_11_the_override_survives_a_restart) {
  ASSERT_TRUE(set("10.0.0.1:9000"));
  store_->close();
  store_ = store::Store::open({.path = dir_ / "state.db"}).value();
  restart(std::nullopt, kNames);
  EXPECT_EQ(view().effective->endpoint, "10.0.0.1:9000");
}

TEST_F(EndpointSettingsTest, HTTP_11_enrollments_keep_the_endpoint_they_were_created_with) {
  ASSERT_TRUE(set("10.0.0.1:9000"));
  EXPECT_EQ(enrolled_endpoint("edge-01"), "10.0.0.1:9000");
  const auto issued = enroll("edge-02").value();
  ASSERT_TRUE(set("d.example.com:1"));
  EXPECT_EQ(redeem(issued)->server_endpoint, "10.0.0.1:9000");
  EXPECT_EQ(enrolled_endpoint("edge-03"), "d.example.com:1");
  restart("d.example.com:7443", {});  // nothing is covered any more, which the code does not mind
  ASSERT_TRUE(enroll("edge-04").error() == Errc::endpoint_not_in_cert_san);
}

TEST_F(EndpointSettingsTest, CW_10_2_a_code_without_an_endpoint_is_redeemed_with_the_override) {
  const auto issued = enroll("edge-01").value();
  ASSERT_TRUE(store_->write_now([](store::Connection& c) -> Result<> {
    c.run_script("UPDATE enrollments SET endpoint = NULL");
    return {};
  }));
  ASSERT_TRUE(set("10.0.0.1:9000"));
  restart("d.example.com:7443", {{"d.example.com"}, {}});
  EXPECT_EQ(redeem(issued).error(), Errc::endpoint_not_in_cert_san);
  restart("d.example.com:7443", kNames);
  EXPECT_EQ(redeem(issued)->server_endpoint, "10.0.0.1:9000");
}

TEST_F(EndpointSettingsTest, a_closed_store_is_an_error) {
  store_->close();
  EXPECT_EQ(io_.run(settings_->view()).error(), store::Errc::closed);
  EXPECT_EQ(set("10.0.0.1:1").error(), store::Errc::closed);
}

}  // namespace
}  // namespace portunus::server::auth
