#include "server/control/grpc_host.hpp"

#include <grpc/support/log.h>
#include <grpcpp/security/server_credentials.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstdlib>
#include <thread>
#include <utility>

#include "common/async/io_threads.hpp"
#include "server/control/errc.hpp"

namespace portunus::server::control {
namespace {

constexpr int kMaxMessageBytes = 4 << 20;  // control-wire 1
/// An edge has one stream and enrollment one call; more from one connection is no edge of ours.
constexpr int kMaxStreamsPerConnection = 16;
/// A connection that does not finish its TLS handshake, or that never opens a stream.
constexpr int kHandshakeLimitMs = 10'000;
constexpr int kUnusedConnectionLimitMs = 60'000;

void drop_line(gpr_log_func_args* /*line*/) {}

/// gRPC writes plain text to stderr, mostly about broken handshakes of strangers; our lines are
/// events, one JSON object each. Whoever asks gRPC itself for its log still gets it.
void silence_grpc() {
  if (std::getenv("GRPC_VERBOSITY") == nullptr) gpr_set_log_function(drop_line);
}

std::shared_ptr<grpc::ServerCredentials> credentials(const crypto::CertificatePair& pair) {
  grpc::SslServerCredentialsOptions options(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  options.pem_key_cert_pairs.push_back({pair.key_pem, pair.certificate_pem});
  return grpc::SslServerCredentials(options);
}

void configure(grpc::ServerBuilder& builder, const GrpcSettings& settings) {
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  const auto set = [&](const char* name, auto value) {
    builder.AddChannelArgument(name, static_cast<int>(value));
  };
  set(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  set(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeLimitMs);
  set(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kUnusedConnectionLimitMs);
  // Ours: a PING every interval, with or without traffic or streams.
  set(GRPC_ARG_KEEPALIVE_TIME_MS, settings.keepalive_interval.count());
  set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, settings.keepalive_timeout.count());
  set(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  set(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Theirs: any number of PINGs is welcome; too_many_pings is never said.
  set(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 0);
  set(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
}

}  // namespace

GrpcHost::~GrpcHost() {
  if (listener_) listener_->close();
  if (server_) server_->Shutdown(std::chrono::system_clock::now());
}

Result<net::Endpoint> GrpcHost::start(const GrpcSettings& settings,
                                      const std::vector<grpc::Service*>& services) {
  silence_grpc();
  if (auto checked = crypto::check_pair(settings.pair); !checked) return fail(checked.error());
  auto listener = ControlListener::open(domain_, settings.listen);
  if (!listener) return fail(listener.error());

  using Experimental = grpc::ServerBuilder::experimental_type;
  grpc::ServerBuilder builder;
  configure(builder, settings);
  for (grpc::Service* service : services) builder.RegisterService(service);
  connections_ = builder.experimental().AddExternalConnectionAcceptor(
      Experimental::ExternalConnectionType::FROM_FD, credentials(settings.pair));
  server_ = builder.BuildAndStart();
  if (!server_) return fail(Errc::grpc_start_failed);

  listener_ = std::move(*listener);
  listener_->start([this](net::UniqueFd connection) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
    parameters.fd = connection.release();  // gRPC's from here on
    connections_->HandleNewConnection(&parameters);
  });
  return listener_->endpoint();
}

async::Task<> GrpcHost::shutdown(std::chrono::steady_clock::duration grace) {
  if (!server_) co_return;
  // A cancelled shutdown would leave the helper with nobody to join it.
  co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
  listener_->close();

  bool finished = false;
  boost::asio::steady_timer signal(domain_, boost::asio::steady_timer::time_point::max());
  const auto deadline = std::chrono::system_clock::now() +
                        std::chrono::ceil<std::chrono::system_clock::duration>(grace);
  std::thread helper([&] {
    async::name_this_thread("control-stop");
    server_->Shutdown(deadline);
    boost::asio::post(domain_, [&] {
      finished = true;
      signal.cancel();
    });
  });
  while (!finished) {
    co_await signal.async_wait(async::kTuple);
  }
  helper.join();
  server_.reset();
}

}  // namespace portunus::server::control
