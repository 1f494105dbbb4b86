#include "server/http/api/csrf.hpp"

#include <string_view>

#include "server/http/api/errc.hpp"

namespace portunus::server::http::api {
namespace {

bool same_origin(const Request& request, std::string_view sent, const WebOrigin& origin) {
  if (origin.public_origin) return sent == *origin.public_origin;
  const auto host = request.header("host");
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (sent.starts_with(scheme)) return host && sent.substr(scheme.size()) == *host;
  }
  return false;
}

bool announces_body(const Request& request) {
  if (request.header("transfer-encoding")) return true;
  const auto length = request.header("content-length");
  return length && length->find_first_not_of('0') != std::string_view::npos;
}

/// application/json itself; parameters are allowed.
bool is_plain_json(std::string_view media_type) {
  media_type = media_type.substr(0, media_type.find(';'));
  while (media_type.ends_with(' ') || media_type.ends_with('\t')) media_type.remove_suffix(1);
  return equal_ignoring_case(media_type, "application/json");
}

}  // namespace

bool may_change(Method method) {
  switch (method) {
    case Method::post:
    case Method::put:
    case Method::patch:
    case Method::del:
      return true;
    case Method::get:
    case Method::head:
    case Method::options:
    case Method::other:
      return false;
  }
  return false;
}

Result<> check_csrf(const Request& request, const WebOrigin& origin) {
  const auto sent = request.header("origin");
  if (!sent) return fail(Errc::csrf_origin_required);
  if (!same_origin(request, *sent, origin)) return fail(Errc::csrf_origin_mismatch);
  if (request.header("x-portunus-csrf") != "1") return fail(Errc::csrf_header_required);
  if (announces_body(request)) {
    const auto type = request.header("content-type");
    if (!type || !is_plain_json(*type)) return fail(Errc::csrf_content_type_required);
  }
  return {};
}

}  // namespace portunus::server::http::api
