#include "tests/support/fake_edge.hpp"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

namespace portunus::test {
namespace {

std::shared_ptr<grpc::Channel> connect(const FakeEdge::Options& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetSslTargetNameOverride("localhost");
  for (const auto& [name, value] : options.arguments) arguments.SetInt(name, value);
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = options.certificate_pem;
  return grpc::CreateCustomChannel(options.target, grpc::SslCredentials(tls), arguments);
}

}  // namespace

FakeEdge::FakeEdge(Options options)
    : options_(std::move(options)), channel_(connect(options_)), may_read_(options_.reading) {}

FakeEdge::~FakeEdge() {
  if (!stream_) return;
  context_.TryCancel();
  start_reading();
  reader_.join();
}

void FakeEdge::open() {
  if (options_.authorization) context_.AddMetadata("authorization", *options_.authorization);
  stub_ = v1::Control::NewStub(channel_);
  stream_ = stub_->Channel(&context_);
  reader_ = std::thread([this] { read_all(); });
}

void FakeEdge::read_all() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return may_read_; });
  }
  v1::ServerMessage message;
  while (stream_->Read(&message)) {
    const std::lock_guard lock(mutex_);
    received_.push_back(std::move(message));
    changed_.notify_all();
  }
  grpc::Status status = stream_->Finish();
  const std::lock_guard lock(mutex_);
  status_ = std::move(status);
  changed_.notify_all();
}

void FakeEdge::start_reading() {
  const std::lock_guard lock(mutex_);
  may_read_ = true;
  changed_.notify_all();
}

bool FakeEdge::send(const v1::ClientMessage& message) {
  return stream_->Write(message);
}

bool FakeEdge::hello(const std::string& instance_id) {
  v1::ClientMessage message;
  v1::Hello& hello = *message.mutable_hello();
  hello.set_protocol_version("1.0.0");
  hello.set_client_version("1.8.0");
  hello.add_supported_protocols(v1::TCP);
  hello.add_supported_protocols(v1::UDP);
  hello.set_instance_id(instance_id);
  return send(message);
}

bool FakeEdge::status(const std::string& request_id, std::uint64_t rule,
                      v1::ActivationOutcome outcome, const std::string& reason) {
  v1::ClientMessage message;
  v1::RuleStatus& status = *message.mutable_rule_status();
  status.set_request_id(request_id);
  status.set_rule_id(rule);
  status.set_outcome(outcome);
  status.set_reason(reason);
  return send(message);
}

std::optional<v1::ServerMessage> FakeEdge::next(Timeout patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [this] { return !received_.empty() || status_; });
  if (received_.empty()) return std::nullopt;
  v1::ServerMessage message = std::move(received_.front());
  received_.pop_front();
  return message;
}

bool FakeEdge::welcomed(const std::string& instance_id) {
  if (!hello(instance_id)) return false;
  const auto first = next();
  return first && first->has_welcome();
}

std::optional<grpc::Status> FakeEdge::ended(Timeout patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [this] { return status_.has_value(); });
  return status_;
}

void FakeEdge::half_close() {
  stream_->WritesDone();
}

void FakeEdge::cancel() {
  context_.TryCancel();
}

grpc::Status FakeEdge::enroll(const std::string& code, v1::CredentialBundle& bundle) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  v1::EnrollClientRequest request;
  request.set_code(code);
  return v1::ClientEnrollment::NewStub(channel_)->Enroll(&context, request, &bundle);
}

}  // namespace portunus::test
