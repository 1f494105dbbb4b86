#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/body_stream.hpp"

namespace portunus::server::http {

struct Header {
  std::string name;
  std::string value;
};
/// Header names compare without regard to case.
std::optional<std::string_view> find_header(const std::vector<Header>& headers,
                                            std::string_view name);
bool equal_ignoring_case(std::string_view a, std::string_view b);

/// What a handler answers. The connection adds Content-Length (Transfer-Encoding to a stream) and
/// Connection, and leaves the body out for HEAD.
struct Response {
  unsigned status = 200;
  std::vector<Header> headers;
  std::string body;
  /// Instead of `body`. Closed as soon as the peer, or the listener, wants no more.
  std::shared_ptr<BodyStream> stream = nullptr;

  std::optional<std::string_view> header(std::string_view name) const {
    return find_header(headers, name);
  }
};

/// A body of the given type.
Response make_response(unsigned status, std::string_view content_type, std::string body);
/// No body at all: 204.
Response no_content();
/// The error envelope (http-api 1); `message` may hold anything, it is escaped.
Response error_envelope(unsigned status, std::string_view code, std::string_view message);

}  // namespace portunus::server::http
