#pragma once

#include <expected>
#include <string>
#include <system_error>
#include <utility>

namespace portunus {

/// An expected failure: a code of one module's errc category and an optional detail for people.
/// The detail may quote peer input; it is escaped where it is printed.
struct Error {
  std::error_code code;
  std::string detail;

  Error(std::error_code c, std::string d = {}) : code(c), detail(std::move(d)) {}  // NOLINT
  template <class Enum>
    requires std::is_error_code_enum_v<Enum>
  Error(Enum e, std::string d = {}) : code(make_error_code(e)), detail(std::move(d)) {}  // NOLINT

  /// "<message of the code>" or "<message of the code>: <detail>".
  std::string text() const {
    return detail.empty() ? code.message() : code.message() + ": " + detail;
  }
  friend bool operator==(const Error& a, const std::error_code& b) { return a.code == b; }
};

template <class T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Error e) {
  return std::unexpected<Error>(std::move(e));
}
inline std::unexpected<Error> fail_errno(int err, std::string detail = {}) {
  return std::unexpected<Error>(
      Error(std::error_code(err, std::system_category()), std::move(detail)));
}

}  // namespace portunus
