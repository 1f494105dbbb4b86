#include "server/app/server.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <thread>

#include "server/store/audit_store.hpp"
#include "server/store/store.hpp"
#include "tests/server/app/scratch_dir.hpp"
#include "tests/server/support/raw_client.hpp"
#include "tests/support/files.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::server::app {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::RawClient;

/// A server over a scratch directory, every port any free one.
class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    options_.dir = {scratch_.path()};
    options_.config = *config::load_server_config(options_.dir);
    const auto any_port = *net::Endpoint::parse("127.0.0.1:0");
    options_.config.control_listen = any_port;
    options_.config.operator_http_listen = any_port;
    options_.config.metrics_listen = any_port;
    options_.config.operator_token = Secret("operator");
    options_.certificate_host = "test-host";
  }
  ~ServerTest() override { stop(); }

  void start() {
    io_.restart();
    auto server = Server::start(io_, options_, SystemClock::instance());
    ASSERT_TRUE(server) << server.error().text;
    server_ = std::move(*server);
    work_.emplace(asio::make_work_guard(io_));
    thread_ = std::thread([this] { io_.run(); });
  }
  bool stop(std::chrono::seconds grace = 10s) {
    if (!server_) return true;
    const bool clean = asio::co_spawn(io_, server_->stop(grace), asio::use_future).get();
    work_.reset();
    thread_.join();
    server_.reset();
    return clean;
  }
  StartupFailure refused() {
    asio::io_context io(1);
    auto server = Server::start(io, options_, SystemClock::instance());
    if (!server) return server.error();
    ADD_FAILURE() << "it started";
    std::abort();  // a running server cannot simply be dropped
  }
  std::string ask(const net::Endpoint& at, const std::string& head) {
    RawClient client(at);
    client.send(head + "\r\nHost: x\r\nConnection: close\r\n\r\n");
    return client.read_all();
  }
  std::string api(const std::string& line, const std::string& token = "operator") {
    return ask(server_->listening().operator_http,
               line + " HTTP/1.1\r\nAuthorization: Bearer " + token);
  }

  ScratchDir scratch_;
  ServerOptions options_;
  asio::io_context io_{1};
  std::unique_ptr<Server> server_;

 private:
  using Work = asio::executor_work_guard<asio::io_context::executor_type>;
  std::optional<Work> work_;
  std::thread thread_;
};

TEST_F(ServerTest, ServesTheApiTheMetricsAndTheStub) {
  start();
  const std::string me = api("GET /v1/users/me");
  EXPECT_TRUE(me.starts_with("HTTP/1.1 200 OK\r\n")) << me;
  EXPECT_TRUE(me.ends_with(R"({"user_id":"_legacy","role":"superadmin",)"
                           R"("display_name":"operator_token shortcut"})"))
      << me;
  const std::string scraped = ask(server_->listening().metrics, "GET /metrics HTTP/1.1");
  EXPECT_NE(scraped.find("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"),
            std::string::npos);
  EXPECT_NE(scraped.find("portunus_operator_requests_total{outcome=\"allow\",reason=\"ok\"} 1\n"),
            std::string::npos)
      << scraped;
  EXPECT_TRUE(
      ask(server_->listening().metrics, "GET /v1/users/me HTTP/1.1").starts_with("HTTP/1.1 404"));
  EXPECT_TRUE(
      ask(server_->listening().metrics, "POST /metrics HTTP/1.1").starts_with("HTTP/1.1 405"));
  EXPECT_NE(api("GET /metrics").find("<title>Portunus</title>"), std::string::npos);
  EXPECT_TRUE(stop());
}

TEST_F(ServerTest, LogsItsStartInOrder) {
  const test::LogCapture log("info");
  start();
  EXPECT_TRUE(stop());
  std::vector<std::string> events;
  for (const std::string& line : log.lines()) {
    const std::size_t at = line.find("\"event\":\"") + 9;
    events.push_back(line.substr(at, line.find('"', at) - at));
  }
  EXPECT_EQ(events, (std::vector<std::string>{"store.opened", "store.ready", "tls.cert_generated",
                                              "operator.store_loaded", "operator.bootstrap_legacy",
                                              "owner_cap.hydrated", "rules.hydrated"}));
}

TEST_F(ServerTest, HTTP_3_6_PrintsASetupTokenWhileOnboardingIsOpen) {
  constexpr std::string_view kLine = "Portunus onboarding setup token: ";
  options_.config.operator_token = Secret();
  std::vector<std::string> printed;
  for (int i = 0; i < 2; ++i) {
    ::testing::internal::CaptureStderr();
    start();
    const std::string text = ::testing::internal::GetCapturedStderr();
    EXPECT_TRUE(text.starts_with(kLine) && text.size() == kLine.size() + 44) << text;
    printed.push_back(text);
    const std::string status = api("GET /v1/auth/status");
    EXPECT_TRUE(status.ends_with(R"({"onboarding_required":true})")) << status;
    EXPECT_TRUE(api("GET /v1/users/me").starts_with("HTTP/1.1 503"));
    EXPECT_TRUE(stop());
  }
  EXPECT_NE(printed[0], printed[1]);
  options_.config.operator_token = Secret("operator");
  ::testing::internal::CaptureStderr();
  start();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_TRUE(api("GET /v1/auth/status").ends_with(R"({"onboarding_required":false})"));
}

TEST_F(ServerTest, KeepsItsStateOverARestart) {
  start();
  EXPECT_TRUE(stop());
  const std::string certificate = test::read_file(options_.dir.certificate());
  options_.config.operator_token = Secret("another");
  const test::LogCapture log;
  start();
  EXPECT_EQ(log.count("operator.config_token_ignored"), 1U);
  EXPECT_TRUE(api("GET /v1/users/me").starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(api("GET /v1/users/me", "another").starts_with("HTTP/1.1 401"));
  EXPECT_EQ(test::read_file(options_.dir.certificate()), certificate);
}

TEST_F(ServerTest, StoppingLeavesACheckpointedStoreAndFreePorts) {
  start();
  const auto at = server_->listening();
  RawClient idle(at.operator_http);
  EXPECT_TRUE(stop());
  EXPECT_TRUE(idle.closed());
  EXPECT_FALSE(RawClient(at.operator_http).connected());
  EXPECT_FALSE(RawClient(at.metrics).connected());
  EXPECT_FALSE(RawClient(at.grpc).connected());
  const auto wal = scratch_.path() / "state.db-wal";
  EXPECT_TRUE(!std::filesystem::exists(wal) || std::filesystem::file_size(wal) == 0);
  EXPECT_TRUE(store::StoreLock::acquire(scratch_.path()));
}

TEST_F(ServerTest, SQ_5_TheStopWritesEveryAuditEntry) {
  start();
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(api("GET /v1/rules", "wrong").starts_with("HTTP/1.1 401"));
  }
  EXPECT_TRUE(stop());
  auto store = store::Store::open({.path = options_.dir.database()});
  ASSERT_TRUE(store);
  const auto rows =
      (*store)->read_now([](store::Connection& c) { return store::list_audit(c, {}, {}, 1000); });
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->size(), 20U);
}

TEST_F(ServerTest, SighupReportsAndChangesNothing) {
  const test::LogCapture log;
  start();
  asio::co_spawn(io_, server_->report_store(), asio::use_future).get();
  EXPECT_EQ(log.count("operator.store_reloaded",
                      {R"("users":1)", R"("superadmin_present":true)", R"("outcome":"ok")"}),
            1U);
}

TEST_F(ServerTest, TheMetricsListenerMustBeLoopback) {
  options_.config.metrics_listen = *net::Endpoint::parse("0.0.0.0:0");
  const StartupFailure failure = refused();
  EXPECT_EQ(failure.exit_code, 1);
  EXPECT_NE(failure.text.find("metrics_listen"), std::string::npos) << failure.text;
}

TEST_F(ServerTest, APortInUseEndsTheStart) {
  start();
  const auto taken = server_->listening();
  ScratchDir other;
  ServerOptions second = options_;
  second.dir = {other.path()};
  second.config.tls_cert_path = second.dir.certificate();
  second.config.tls_key_path = second.dir.key();
  for (const auto endpoint :
       {&config::ServerConfig::operator_http_listen, &config::ServerConfig::metrics_listen,
        &config::ServerConfig::control_listen}) {
    ServerOptions clash = second;
    const bool grpc = endpoint == &config::ServerConfig::control_listen;
    clash.config.*endpoint = grpc ? taken.grpc : taken.operator_http;
    asio::io_context io(1);
    const auto refused = Server::start(io, clash, SystemClock::instance());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().exit_code, 1);
    EXPECT_NE(refused.error().text.find("listen"), std::string::npos) << refused.error().text;
  }
}

TEST_F(ServerTest, AKeyThatOthersCanReadEndsTheStart) {
  start();
  EXPECT_TRUE(stop());
  ASSERT_EQ(::chmod(options_.dir.key().c_str(), 0640), 0);
  const StartupFailure failure = refused();
  EXPECT_EQ(failure.exit_code, 1);
  EXPECT_NE(failure.text.find("has mode 0640, refuse to start"), std::string::npos) << failure.text;
}

}  // namespace
}  // namespace portunus::server::app
