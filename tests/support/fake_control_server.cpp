#include "tests/support/fake_control_server.hpp"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <chrono>
#include <utility>

#include "portunus/v1/control.grpc.pb.h"
#include "portunus/v1/enrollment.grpc.pb.h"

namespace portunus::test {

std::string FakeControlServer::Stream::authorization() const {
  const auto& metadata = context_.client_metadata();
  const auto it = metadata.find("authorization");
  return it == metadata.end() ? "" : std::string(it->second.data(), it->second.size());
}

std::optional<v1::ClientMessage> FakeControlServer::Stream::read() {
  v1::ClientMessage message;
  if (!rpc_.Read(&message)) return std::nullopt;
  return message;
}

v1::Hello FakeControlServer::Stream::welcome(const std::string& version) {
  const auto first = read();
  v1::ServerMessage message;
  message.mutable_welcome()->set_server_version(version);
  message.mutable_welcome()->set_udp_flow_idle_secs(60);
  message.mutable_welcome()->set_udp_max_flows_per_rule(1024);
  write(message);
  return first ? first->hello() : v1::Hello{};
}

bool FakeControlServer::Stream::push(const std::string& request_id, std::uint64_t rule,
                                     std::uint32_t port, const std::string& host) {
  v1::ServerMessage message;
  auto& update = *message.mutable_rule_update();
  update.set_request_id(request_id);
  update.set_action(v1::PUSH);
  update.mutable_rule()->set_rule_id(rule);
  update.mutable_rule()->set_listen_port(port);
  update.mutable_rule()->set_target_host(host);
  update.mutable_rule()->set_target_port(80);
  update.mutable_rule()->set_protocol(v1::TCP);
  return write(message);
}

bool FakeControlServer::Stream::remove(const std::string& request_id, std::uint64_t rule) {
  v1::ServerMessage message;
  message.mutable_rule_update()->set_request_id(request_id);
  message.mutable_rule_update()->set_action(v1::REMOVE);
  message.mutable_rule_update()->mutable_rule()->set_rule_id(rule);
  return write(message);
}

bool FakeControlServer::Stream::replay_complete() {
  v1::ServerMessage message;
  message.mutable_replay_complete();
  return write(message);
}

v1::RuleStatus FakeControlServer::Stream::status() {
  while (const auto message = read()) {
    if (message->has_rule_status()) return message->rule_status();
  }
  return {};
}

std::optional<v1::StatsReport> FakeControlServer::Stream::report() {
  while (const auto message = read()) {
    if (message->has_stats_report()) return message->stats_report();
  }
  return std::nullopt;
}

void FakeControlServer::Stream::read_to_end() {
  while (read()) {
  }
}

class FakeControlServer::Impl {
 public:
  Impl(crypto::CertificatePair made, Script script, Redeem redeem)
      : pair(std::move(made)), control(*this, std::move(script)), enrollment(std::move(redeem)) {
    grpc::SslServerCredentialsOptions options(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    options.pem_key_cert_pairs.push_back({pair.key_pem, pair.certificate_pem});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port);
    builder.AddChannelArgument("grpc.http2.min_ping_interval_without_data_ms", 1);
    builder.AddChannelArgument("grpc.http2.max_ping_strikes", 0);
    builder.RegisterService(&control);
    builder.RegisterService(&enrollment);
    server = builder.BuildAndStart();
  }
  ~Impl() { server->Shutdown(std::chrono::system_clock::now()); }

  class Control final : public v1::Control::Service {
   public:
    Control(Impl& owner, Script script) : owner_(owner), script_(std::move(script)) {}
    grpc::Status Channel(grpc::ServerContext* context, Stream::Rpc* rpc) override {
      Stream stream(*context, *rpc, ++owner_.streams);
      return script_(stream);
    }

   private:
    Impl& owner_;
    Script script_;
  };
  class Enrollment final : public v1::ClientEnrollment::Service {
   public:
    explicit Enrollment(Redeem redeem) : redeem_(std::move(redeem)) {}
    grpc::Status Enroll(grpc::ServerContext*, const v1::EnrollClientRequest* request,
                        v1::CredentialBundle* bundle) override {
      if (!redeem_) return {grpc::StatusCode::UNIMPLEMENTED, ""};
      return redeem_(*request, *bundle);
    }

   private:
    Redeem redeem_;
  };

  crypto::CertificatePair pair;
  std::atomic<int> streams{0};
  int port = 0;
  Control control;
  Enrollment enrollment;
  std::unique_ptr<grpc::Server> server;
};

FakeControlServer::FakeControlServer(crypto::CertificatePair pair, Script script, Redeem redeem)
    : impl_(std::make_unique<Impl>(std::move(pair), std::move(script), std::move(redeem))) {}
FakeControlServer::~FakeControlServer() = default;

std::uint16_t FakeControlServer::port() const {
  return static_cast<std::uint16_t>(impl_->port);
}
std::string FakeControlServer::endpoint() const {
  return "127.0.0.1:" + std::to_string(port());
}
const crypto::CertificatePair& FakeControlServer::pair() const {
  return impl_->pair;
}
std::string FakeControlServer::pin() const {
  return *crypto::certificate_fingerprint(impl_->pair.certificate_pem);
}
int FakeControlServer::streams() const {
  return impl_->streams;
}

const crypto::CertificatePair& test_pair() {
  static const auto pair =
      *crypto::generate_self_signed("edge.test", "", SystemClock::instance().now());
  return pair;
}

}  // namespace portunus::test
