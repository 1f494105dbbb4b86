#include "client/agent/enroll.hpp"

#include <grpcpp/client_context.h>

#include <boost/asio/this_coro.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "client/agent/bundle_file.hpp"
#include "client/agent/enroll_uri.hpp"
#include "client/agent/errc.hpp"
#include "client/agent/grpc_channel.hpp"
#include "client/agent/grpc_events.hpp"
#include "client/agent/inbox.hpp"
#include "client/agent/tls_tunnel.hpp"
#include "common/base/ulid.hpp"
#include "common/crypto/certificate.hpp"
#include "common/log/logger.hpp"
#include "portunus/v1/enrollment.grpc.pb.h"

namespace portunus::client::agent {
namespace {

namespace asio = boost::asio;
using Failure = std::unexpected<EnrollFailure>;
using Millis = std::chrono::milliseconds;

Failure failed(std::string_view kind, std::string detail) {
  return Failure({kind, std::move(detail)});
}

struct Answer {
  grpc::Status status;
  v1::CredentialBundle bundle;
};

/// The end of the unary call.
struct Redeemed final : GrpcEvents::Operation {
  explicit Redeemed(const asio::any_io_executor& executor) : inbox(executor) {}
  void done(bool ok) override { inbox.push(ok); }
  Inbox<bool> inbox;
};

async::Task<Answer> call(std::shared_ptr<grpc::Channel> channel, const Secret& code,
                         Millis budget) {
  GrpcEvents events(co_await asio::this_coro::executor);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + budget);
  v1::EnrollClientRequest request;
  request.set_code(code.reveal());
  const auto stub = v1::ClientEnrollment::NewStub(channel);
  const auto rpc = stub->AsyncEnroll(&context, request, &events.queue());
  Answer answer;
  Redeemed redeemed(events.executor());
  rpc->Finish(&answer.bundle, &answer.status, &redeemed);
  // Its own deadline ends it, and nothing else may: the call writes to this frame.
  std::optional<bool> over;
  while (!over) over = co_await redeemed.inbox.next(SteadyTime::max());
  co_return answer;
}

async::Task<std::expected<v1::CredentialBundle, EnrollFailure>> redeem(const EnrollUri& uri,
                                                                       Millis budget) {
  auto tunnel = co_await TlsTunnel::open(uri.server, uri.pin, budget);
  if (!tunnel) {
    const TlsTunnel::Failure& failure = tunnel.error();
    if (!failure.got.empty()) {
      log::log(log::Event::control_tls_pinned_mismatch,
               {{"expected", uri.pin}, {"got", failure.got}});
    }
    co_return failed("transport", failure.error.text());
  }
  auto socket = (*tunnel)->start();
  if (!socket) co_return failed("transport", socket.error().text());
  auto answer =
      co_await call(make_channel(std::move(*socket), uri.server.text(), {}), uri.code, budget);
  co_await (*tunnel)->close(budget);
  switch (answer.status.error_code()) {
    case grpc::StatusCode::OK:
      co_return std::move(answer.bundle);
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
      co_return failed("transport", status_text(answer.status));
    default:
      co_return failed("rpc", answer.status.error_message().empty()
                                  ? status_text(answer.status)
                                  : answer.status.error_message());
  }
}

/// What the server returned, checked as a file with it would be, and against the URI.
std::expected<Bundle, EnrollFailure> check(const v1::CredentialBundle& wire, const EnrollUri& uri) {
  if (wire.version() != 1) {
    return failed("enrollment material",
                  "unsupported bundle version: " + std::to_string(wire.version()));
  }
  if (!is_acceptable_client_name(wire.client_name())) {
    return failed("client name", "blank, too long or with control characters");
  }
  Bundle out;
  out.client_name = wire.client_name();
  auto server = ServerAddress::parse(wire.server_endpoint());
  if (!server) return failed("enrollment material", server.error().text());
  out.server = std::move(*server);
  out.pin = parse_pin(wire.server_cert_sha256());
  if (out.pin != uri.pin) {
    return failed("enrollment material", "the returned pin is not the one of the URI");
  }
  if (!is_acceptable_token(wire.token())) return failed("enrollment material", "no usable token");
  out.token = Secret(wire.token());
  if (!wire.client_id().empty() && !is_ulid(wire.client_id())) {
    return failed("enrollment material", "client_id is not a ULID");
  }
  out.client_id = wire.client_id();
  out.certificate_pem =
      wire.server_cert_pem().empty() ? uri.certificate_pem : wire.server_cert_pem();
  if (!out.certificate_pem.empty()) {
    const auto hash = crypto::certificate_fingerprint(out.certificate_pem);
    if (!hash || *hash != out.pin) {
      return failed("enrollment material", "the returned certificate is not the pinned one");
    }
  }
  return out;
}

}  // namespace

std::string EnrollFailure::text() const {
  std::string out = std::string(kind) + ": " + detail;
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return out;
}

async::Task<std::expected<void, EnrollFailure>> enroll(std::string text, std::string path,
                                                       Millis budget) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto uri = parse_enroll_uri(text);
  if (!uri) co_return failed("enrollment URI", uri.error().text());
  if (!uri->certificate_pem.empty() &&
      *crypto::certificate_fingerprint(uri->certificate_pem) != uri->pin) {
    co_return failed("enrollment material", "the certificate of the URI is not the pinned one");
  }
  auto writer = BundleWriter::prepare(path);
  if (!writer) co_return failed("write credential bundle", writer.error().text());
  const auto answer = co_await redeem(*uri, budget);
  if (!answer) co_return Failure(answer.error());
  const auto bundle = check(*answer, *uri);
  if (!bundle) co_return Failure(bundle.error());
  const auto written = writer->commit(bundle_text(*bundle));
  if (!written) co_return failed("write credential bundle", written.error().text());
  co_return std::expected<void, EnrollFailure>{};
}

}  // namespace portunus::client::agent
