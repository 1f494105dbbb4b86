#pragma once

#include <string_view>

#include "common/base/result.hpp"

namespace portunus::server::people {

/// An id somebody may have, reserved ones such as _superadmin included: invalid_user_id.
Result<> check_user_id(std::string_view user_id);
/// An id that may be given: reserved_user_id for whatever begins with "_", invalid_user_id.
Result<> check_new_user_id(std::string_view user_id);

}  // namespace portunus::server::people
