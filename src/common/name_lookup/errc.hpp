#pragma once

#include <system_error>

namespace portunus::name_lookup {

enum class Errc {
  timed_out = 1,   ///< no answer within the limit
  failed,          ///< the host has no address, or too many lookups hang already
  no_descriptors,  ///< the kernel gave no descriptor to wait with
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::name_lookup

template <>
struct std::is_error_code_enum<portunus::name_lookup::Errc> : std::true_type {};
