#pragma once

#include <cstdint>
#include <expected>
#include <iosfwd>
#include <string>
#include <string_view>

#include "server/cli/api_client.hpp"
#include "server/cli/exit_codes.hpp"
#include "server/cli/json_fwd.hpp"

namespace portunus::server::cli {

/// Why a call of the API did not bring what was asked for (cli-and-config 2.1, transport outcome).
struct ApiFailure {
  enum class Kind : std::uint8_t {
    transport,  ///< no answer
    refused,    ///< an error envelope
    status,     ///< an error without one
    body,       ///< a success with a body that is of no use
  };
  Kind kind = Kind::transport;
  std::string text;  ///< transport and body: the detail; refused: the message; status: "502 …"
  std::string code;  ///< refused only

  /// What stands after "error: ".
  std::string line() const;
  /// 1, or what `group` makes of the code.
  int exit(CommandGroup group) const;
};

template <class T>
using ApiResult = std::expected<T, ApiFailure>;

inline std::unexpected<ApiFailure> unusable(std::string detail) {
  return std::unexpected(ApiFailure{ApiFailure::Kind::body, std::move(detail), {}});
}

/// "/v1/clients/{client}" and the rest. An empty name would make it another route: it is refused as
/// the server refuses it elsewhere, which exits as in CommandGroup::client.
ApiResult<std::string> client_path(const std::string& client, std::string_view rest);

/// A request that carries the JSON, invalid UTF-8 of the command line replaced.
ApiRequest with_body(ApiMethod method, std::string target, const Json& body);

/// The JSON of a success.
ApiResult<Json> call(const ApiClient& client, const ApiRequest& request);
/// A success whose body, if any, does not matter.
ApiResult<void> call_without_answer(const ApiClient& client, const ApiRequest& request);

/// Prints the failure and returns its exit code.
int report(std::ostream& err, const ApiFailure& failure, CommandGroup group);

/// As results are printed: two spaces of indent, UTF-8, and a newline.
std::string pretty(const Json& value);

}  // namespace portunus::server::cli
