#include "client/agent/enroll.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "common/base/hex.hpp"
#include "tests/client/agent/events.hpp"
#include "tests/support/fake_control_server.hpp"
#include "tests/support/files.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/raw_tls_server.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::client::agent {
namespace {

using test::FakeControlServer;

const std::string kCode = "one-time-code-of-this-test";

class EnrollTest : public testing::Test {
 protected:
  /// A server that takes the code and answers with what `answer` makes of a good bundle.
  std::unique_ptr<FakeControlServer> serve(
      std::function<grpc::Status(v1::CredentialBundle&)> answer) {
    return std::make_unique<FakeControlServer>(
        test::test_pair(), [](auto&) { return grpc::Status::OK; },
        [answer = std::move(answer)](const v1::EnrollClientRequest& request,
                                     v1::CredentialBundle& out) {
          if (request.code() != kCode) {
            return grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "enrollment_invalid");
          }
          out.set_version(1);
          out.set_client_name("edge-01");
          out.set_server_endpoint("vpn.example:7443");
          out.set_server_cert_sha256(
              *crypto::certificate_fingerprint(test::test_pair().certificate_pem));
          out.set_server_cert_pem(test::test_pair().certificate_pem);
          out.set_token("bearer");
          out.set_client_id("01J00000000000000000000001");
          return answer(out);
        });
  }
  static std::string uri(const std::string& endpoint, const std::string& pin,
                         const std::string& code = kCode) {
    return "portunus://" + endpoint + "/enroll?pin=sha256:" + pin + "&code=" + code;
  }
  std::string uri_of(const FakeControlServer& server) const {
    return uri(server.endpoint(), server.pin());
  }
  /// Empty on success.
  std::string enroll_to(const std::string& text) {
    const auto result = io.run(enroll(text, path, std::chrono::milliseconds(5000)));
    return result ? "" : result.error().text();
  }
  bool untouched() const {
    return std::filesystem::directory_iterator(dir.path()) == std::filesystem::directory_iterator();
  }

  test::LogCapture log;
  test::TestIo io;
  test::TempDir dir;
  std::string path = (dir / "client.bundle.json").string();
};

TEST_F(EnrollTest, a_redeemed_code_becomes_a_bundle) {
  const auto server = serve([](auto&) { return grpc::Status::OK; });
  EXPECT_EQ(enroll_to(uri_of(*server)), "");
  const auto json = nlohmann::json::parse(test::read_file(path));
  EXPECT_EQ(json["version"], 1);
  EXPECT_EQ(json["client_name"], "edge-01");
  EXPECT_EQ(json["client_id"], "01J00000000000000000000001");
  EXPECT_EQ(json["server_endpoint"], "vpn.example:7443");
  EXPECT_EQ(json["server_cert_sha256"], server->pin());
  EXPECT_EQ(json["server_cert_pem"], test::test_pair().certificate_pem);
  EXPECT_EQ(json["token"], "bearer");
  for (const auto& line : log.lines()) EXPECT_FALSE(line.contains(kCode)) << line;
}

TEST_F(EnrollTest, a_server_without_certificate_and_id_is_enough) {
  const auto server = serve([](v1::CredentialBundle& bundle) {
    bundle.clear_server_cert_pem();
    bundle.clear_client_id();
    return grpc::Status::OK;
  });
  const std::string cert = base64url_encode(as_bytes(test::test_pair().certificate_pem));
  EXPECT_EQ(enroll_to(uri_of(*server) + "&cert=" + cert), "");
  const auto json = nlohmann::json::parse(test::read_file(path));
  EXPECT_FALSE(json.contains("client_id"));
  EXPECT_EQ(json["server_cert_pem"], test::test_pair().certificate_pem);  // that of the URI
}

TEST_F(EnrollTest, refusals_carry_the_servers_word) {
  for (const char* word : {"enrollment_invalid", "enrollment_used", "enrollment_expired"}) {
    const auto server =
        serve([word](auto&) { return grpc::Status(grpc::StatusCode::UNAUTHENTICATED, word); });
    EXPECT_EQ(enroll_to(uri_of(*server)), "rpc: " + std::string(word));
  }
  const auto hostile =
      serve([](auto&) { return grpc::Status(grpc::StatusCode::INTERNAL, "a\nfake: line"); });
  EXPECT_EQ(enroll_to(uri_of(*hostile)), "rpc: a?fake: line");
  EXPECT_TRUE(untouched());
}

TEST_F(EnrollTest, what_the_server_returns_is_checked) {
  using Change = std::function<void(v1::CredentialBundle&)>;
  const auto other = *crypto::generate_self_signed("x", "", SystemClock::instance().now());
  const std::vector<std::pair<std::string, Change>> cases = {
      {"enrollment material: unsupported bundle version: 2", [](auto& b) { b.set_version(2); }},
      {"client name: ", [](auto& b) { b.set_client_name(" "); }},
      {"enrollment material: bad server endpoint", [](auto& b) { b.set_server_endpoint("h"); }},
      {"enrollment material: the returned pin",
       [](auto& b) { b.set_server_cert_sha256(std::string(64, 'f')); }},
      {"enrollment material: no usable token", [](auto& b) { b.clear_token(); }},
      {"enrollment material: client_id", [](auto& b) { b.set_client_id("nope"); }},
      {"enrollment material: the returned certificate",
       [&](auto& b) { b.set_server_cert_pem(other.certificate_pem); }}};
  for (const auto& [expected, change] : cases) {
    const auto server = serve([&change](v1::CredentialBundle& bundle) {
      change(bundle);
      return grpc::Status::OK;
    });
    const std::string text = enroll_to(uri_of(*server));
    EXPECT_TRUE(text.starts_with(expected)) << text;
  }
  EXPECT_TRUE(untouched());
}

TEST_F(EnrollTest, the_uri_is_checked_before_anything_is_dialled) {
  test::RawTlsServer server({.pair = test::test_pair()});
  const std::string place = "127.0.0.1:" + std::to_string(server.port());
  EXPECT_EQ(enroll_to("http://x"), "enrollment URI: bad enrollment URI scheme");
  const std::string cert = base64url_encode(as_bytes(test::test_pair().certificate_pem));
  EXPECT_TRUE(enroll_to(uri(place, std::string(64, 'a')) + "&cert=" + cert)
                  .starts_with("enrollment material: "));
  path = dir.path().string();  // a directory
  EXPECT_TRUE(enroll_to(uri(place, std::string(64, 'a'))).starts_with("write credential bundle: "));
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(EnrollTest, a_wrong_certificate_gets_no_code) {
  test::RawTlsServer server({.pair = test::test_pair()});
  const std::string text =
      enroll_to(uri("127.0.0.1:" + std::to_string(server.port()), std::string(64, 'a')));
  EXPECT_EQ(text, "transport: server certificate does not match the pin");
  EXPECT_TRUE(has(log, log::Event::control_tls_pinned_mismatch, std::string(64, 'a')));
  EXPECT_EQ(server.received(), "");
  EXPECT_EQ(server.handshakes(), 0);
  EXPECT_TRUE(untouched());
}

TEST_F(EnrollTest, an_unreachable_or_mute_server_is_a_transport_failure) {
  const auto port = test::RawTlsServer({.pair = test::test_pair()}).port();
  const std::string gone =
      enroll_to(uri("127.0.0.1:" + std::to_string(port), std::string(64, 'a')));
  EXPECT_TRUE(gone.starts_with("transport: connect failed: ")) << gone;
  EXPECT_TRUE(untouched());
}

}  // namespace
}  // namespace portunus::client::agent
