#include "server/http/api/model_json.hpp"
#include "server/http/api/routes.hpp"

namespace portunus::server::http::api {

async::Task<Result<Response>> get_me(const Call& call) {
  co_return json_response(identity_json(call.who));
}

}  // namespace portunus::server::http::api
