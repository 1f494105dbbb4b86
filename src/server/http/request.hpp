#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"
#include "server/http/response.hpp"

namespace portunus::server::http {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options, other };
/// "GET"; Method::other has no name.
std::string_view method_name(Method method);
Method parse_method(std::string_view name);

/// Where a request's body comes from when somebody asks for it. A request that is refused by its
/// header alone never makes the peer send one.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// The whole body, empty when none was announced; http::Errc otherwise. At most once.
  virtual async::Task<Result<std::string>> read() = 0;
};

/// A request whose header has arrived. Text is as sent: nothing is decoded, nothing trusted.
struct Request {
  Method method = Method::get;
  std::string method_text;
  std::string path;   ///< begins with "/", without the query
  std::string query;  ///< without the "?"
  std::vector<Header> headers;
  net::Endpoint peer;
  BodySource* body = nullptr;  ///< lives until the handler has returned

  /// The first header of that name, in any case.
  std::optional<std::string_view> header(std::string_view name) const;
};

/// Answers one request, on the domain executor.
using Handler = std::function<async::Task<Response>(Request)>;

}  // namespace portunus::server::http
