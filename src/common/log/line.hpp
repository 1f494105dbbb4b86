#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "common/base/clock.hpp"
#include "common/log/event.hpp"

namespace portunus::log {

/// One field's value. Text is borrowed: it must live until the line is built, which is before
/// log() returns.
class Value {
 public:
  using List = std::span<const std::string>;

  Value(std::string_view text) : value_(text) {}                       // NOLINT
  Value(const std::string& text) : value_(std::string_view(text)) {}   // NOLINT
  Value(const char* text) : value_(std::string_view(text)) {}          // NOLINT
  Value(bool flag) : value_(flag) {}                                   // NOLINT
  Value(List list) : value_(list) {}                                   // NOLINT
  Value(const std::vector<std::string>& list) : value_(List(list)) {}  // NOLINT
  template <class T>
    requires(std::is_integral_v<T> && std::is_unsigned_v<T> && !std::is_same_v<T, bool>)
  Value(T number) : value_(static_cast<std::uint64_t>(number)) {}  // NOLINT
  template <class T>
    requires(std::is_integral_v<T> && std::is_signed_v<T>)
  Value(T number) : value_(static_cast<std::int64_t>(number)) {}  // NOLINT

  const auto& get() const { return value_; }

 private:
  std::variant<std::string_view, bool, std::uint64_t, std::int64_t, List> value_;
};

struct Field {
  std::string_view key;
  Value value;
};
using Fields = std::initializer_list<Field>;

enum class Format : std::uint8_t { json, compact };

/// The whole line without its newline. Values longer than 1024 bytes are cut at a character,
/// invalid UTF-8 becomes U+FFFD, control characters are escaped, and the value of a field named
/// like a secret is replaced by "<redacted>" and its key reported through `violation`.
std::string build_line(Format format, bool colour, SystemTime time, Level level,
                       std::string_view event, std::span<const Field> fields,
                       std::string* violation);

}  // namespace portunus::log
