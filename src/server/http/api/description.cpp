#include "server/http/api/description.hpp"

#include <string>
#include <utility>

#include "openapi_file.hpp"
#include "server/http/api/call.hpp"
#include "server/http/api/error_map.hpp"

namespace portunus::server::http::api {

Response describe_api(Method method) {
  if (method == Method::get || method == Method::head) {
    return json_response(std::string(openapi_file::kFiles[0].second));
  }
  Response refusal = to_response(Errc::method_not_allowed);
  refusal.headers.push_back({"Allow", "GET, HEAD"});
  return refusal;
}

}  // namespace portunus::server::http::api
