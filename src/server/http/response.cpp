#include "server/http/response.hpp"

#include <nlohmann/json.hpp>
#include <utility>

namespace portunus::server::http {

Response make_response(unsigned status, std::string_view content_type, std::string body) {
  Response response;
  response.status = status;
  response.headers.push_back({"Content-Type", std::string(content_type)});
  response.body = std::move(body);
  return response;
}

Response no_content() {
  Response response;
  response.status = 204;
  return response;
}

Response error_envelope(unsigned status, std::string_view code, std::string_view message) {
  nlohmann::ordered_json error;
  error["code"] = code;
  error["message"] = message;
  nlohmann::ordered_json envelope;
  envelope["error"] = std::move(error);
  // A message may quote a peer's bytes, which need not be UTF-8.
  std::string body =
      envelope.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return make_response(status, "application/json", std::move(body));
}

}  // namespace portunus::server::http
