#include "client/agent/grpc_channel.hpp"

#include <grpc/support/log.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <mutex>
#include <string_view>

namespace portunus::client::agent {
namespace {

constexpr int kMaxMessageBytes = 4 * 1024 * 1024;

/// gRPC prints plain text to stderr, which belongs to our log lines; what matters of it arrives as
/// a status. Only its last words before an abort are let through.
void last_words_only(gpr_log_func_args* args) {
  if (args->severity != GPR_LOG_SEVERITY_ERROR) return;
  if (std::string_view(args->message).starts_with("assertion failed")) {
    std::fprintf(stderr, "grpc: %s:%d: %s\n", args->file, args->line, args->message);
  }
}

void silence_library_log() {
  static std::once_flag once;
  std::call_once(once, [] { gpr_set_log_function(last_words_only); });
}

}  // namespace

std::shared_ptr<grpc::Channel> make_channel(net::UniqueFd socket, const std::string& authority,
                                            Keepalive keepalive) {
  silence_library_log();
  grpc::ChannelArguments args;
  args.SetString(GRPC_ARG_DEFAULT_AUTHORITY, authority);
  args.SetString(GRPC_ARG_HTTP2_SCHEME, "https");
  args.SetMaxReceiveMessageSize(kMaxMessageBytes);
  args.SetMaxSendMessageSize(kMaxMessageBytes);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(keepalive.interval.count()));
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, static_cast<int>(keepalive.timeout.count()));
  args.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  args.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  args.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  args.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  args.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomInsecureChannelFromFd(authority, socket.release(), args);
}

std::string status_text(const grpc::Status& status) {
  static constexpr const char* kNames[] = {"OK",
                                           "CANCELLED",
                                           "UNKNOWN",
                                           "INVALID_ARGUMENT",
                                           "DEADLINE_EXCEEDED",
                                           "NOT_FOUND",
                                           "ALREADY_EXISTS",
                                           "PERMISSION_DENIED",
                                           "RESOURCE_EXHAUSTED",
                                           "FAILED_PRECONDITION",
                                           "ABORTED",
                                           "OUT_OF_RANGE",
                                           "UNIMPLEMENTED",
                                           "INTERNAL",
                                           "UNAVAILABLE",
                                           "DATA_LOSS",
                                           "UNAUTHENTICATED"};
  const auto code = static_cast<unsigned>(status.error_code());
  std::string out = code < std::size(kNames) ? kNames[code] : "code " + std::to_string(code);
  if (!status.error_message().empty()) out += ": " + status.error_message();
  return out;
}

}  // namespace portunus::client::agent
