#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/secret.hpp"
#include "common/name_lookup/name_lookup.hpp"

namespace portunus::server::cli {

/// Where the operator API listens: --http-endpoint, "host:port" or "[ip6]:port".
struct ApiEndpoint {
  std::string host;  ///< without brackets
  std::string port;
  std::string text;  ///< as given: the request's Host
  static std::optional<ApiEndpoint> parse(std::string_view text);
};

inline constexpr std::string_view kDefaultApiEndpoint = "127.0.0.1:7080";

enum class ApiMethod : std::uint8_t { get, post, put, patch, remove };

struct ApiRequest {
  ApiMethod method = ApiMethod::get;
  std::string target;               ///< "/v1/…", already percent-encoded
  std::optional<std::string> body;  ///< JSON
};

struct ApiResponse {
  unsigned status = 0;
  std::string reason;  ///< the status's standard phrase
  std::string body;
};

/// Plain HTTP/1.1 to the operator API, one connection per call, no proxy. Blocks the caller.
class ApiClient {
 public:
  struct Options {
    ApiEndpoint endpoint;
    std::optional<Secret> token;  ///< nothing: no Authorization header
    /// From the start of the call, like the other one; a look-up that is not answered by then goes
    /// on by itself and holds up neither the caller nor the end of the process.
    std::chrono::milliseconds connect_timeout{2'000};
    /// To the end of the answer.
    std::chrono::milliseconds total_timeout{10'000};
    name_lookup::SystemResolver resolver = &::getaddrinfo;
  };
  explicit ApiClient(Options options) : options_(std::move(options)) {}

  /// The answer, whatever its status, or why there was none.
  std::expected<ApiResponse, std::string> send(const ApiRequest& request) const;

 private:
  Options options_;
};

}  // namespace portunus::server::cli
