#include "server/people/user_id.hpp"

#include <string>

#include "common/model/names.hpp"
#include "server/people/errc.hpp"

namespace portunus::server::people {
namespace {

Result<> refuse(Errc code, std::string_view user_id) {
  return fail({code, "\"" + std::string(user_id) + "\""});
}

}  // namespace

Result<> check_user_id(std::string_view user_id) {
  if (model::is_user_id(user_id) || model::is_reserved_user_id(user_id)) return {};
  return refuse(Errc::invalid_user_id, user_id);
}

Result<> check_new_user_id(std::string_view user_id) {
  if (user_id.starts_with('_')) return refuse(Errc::reserved_user_id, user_id);
  if (!model::is_user_id(user_id)) return refuse(Errc::invalid_user_id, user_id);
  return {};
}

}  // namespace portunus::server::people
