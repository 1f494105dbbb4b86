#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <string_view>

#include "client/agent/bundle.hpp"
#include "common/async/task.hpp"

namespace portunus::client::agent {

/// Why an enrollment failed: one of the kinds of cli-and-config section 7, and its detail, which
/// may quote the server.
struct EnrollFailure {
  std::string_view kind;
  std::string detail;

  /// "<kind>: <detail>", on one line.
  std::string text() const;
};

/// Redeems an enrollment URI and writes the bundle to `path` (control-wire 10.2). Dial and call
/// may each take `budget`. A wrong certificate is also logged as control.tls_pinned_mismatch.
/// Nothing is left at `path` on a failure that comes before the last step, and that one is tried
/// before the code is spent.
async::Task<std::expected<void, EnrollFailure>> enroll(std::string uri, std::string path,
                                                       std::chrono::milliseconds budget);

}  // namespace portunus::client::agent
