#pragma once

#include <grpcpp/channel.h>

#include <chrono>
#include <memory>
#include <string>

#include "common/net/unique_fd.hpp"

namespace portunus::client::agent {

/// HTTP/2 PING: every `interval` also without traffic, dead after `timeout` without an answer
/// (control-wire 1.2).
struct Keepalive {
  std::chrono::milliseconds interval{20'000};
  std::chrono::milliseconds timeout{10'000};
};

/// A channel over one connected, non-blocking socket, which it owns. It never dials, resolves,
/// balances or retries: when the socket ends, so do its calls.
std::shared_ptr<grpc::Channel> make_channel(net::UniqueFd socket, const std::string& authority,
                                            Keepalive keepalive);

/// What a status says for a log line: "UNAVAILABLE: Socket closed".
std::string status_text(const grpc::Status& status);

}  // namespace portunus::client::agent
