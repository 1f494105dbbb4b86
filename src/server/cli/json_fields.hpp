#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "server/cli/json_fwd.hpp"

namespace portunus::server::cli {

/// Reads the members of an object of an API answer. The first member that is missing or of another
/// type is remembered as the fault; reading goes on with empty values, so that callers check once.
class Fields {
 public:
  explicit Fields(const Json& object) : object_(object) {
    if (!object.is_object()) fault_ = "expected an object";
  }

  std::string text(std::string_view key) {
    const auto* value = member(key, true);
    if (value == nullptr) return {};
    if (!value->is_string()) return wrong(key, "a string"), std::string();
    return value->get<std::string>();
  }
  /// Absent and null are nothing.
  std::optional<std::string> optional_text(std::string_view key) {
    if (member(key, false) == nullptr) return std::nullopt;
    return text(key);
  }
  std::uint64_t number(std::string_view key) {
    const auto* value = member(key, true);
    if (value == nullptr) return 0;
    if (!value->is_number_unsigned()) return wrong(key, "an unsigned integer"), 0;
    return value->get<std::uint64_t>();
  }
  std::optional<std::uint64_t> optional_number(std::string_view key) {
    if (member(key, false) == nullptr) return std::nullopt;
    return number(key);
  }
  bool flag(std::string_view key) {
    const auto* value = member(key, true);
    if (value == nullptr) return false;
    if (!value->is_boolean()) return wrong(key, "true or false"), false;
    return value->get<bool>();
  }
  /// Nothing when absent or null; a fault when neither that nor an object / an array.
  const Json* object(std::string_view key) {
    const auto* value = member(key, false);
    if (value != nullptr && !value->is_object()) return wrong(key, "an object"), nullptr;
    return value;
  }
  const Json* array(std::string_view key) {
    const auto* value = member(key, false);
    if (value != nullptr && !value->is_array()) return wrong(key, "an array"), nullptr;
    return value;
  }

  const std::optional<std::string>& fault() const { return fault_; }

  /// The named members alone; null where one is missing.
  static Json pick(const Json& object, std::initializer_list<const char*> keys) {
    Json out = Json::object();
    for (const char* key : keys) {
      const auto found = object.find(key);
      out[key] = found == object.end() ? Json() : *found;
    }
    return out;
  }

 private:
  const Json* member(std::string_view key, bool required) {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(std::string(key));
    if (found != object_.end() && (required || !found->is_null())) return &*found;
    if (required) fail("missing field `" + std::string(key) + "`");
    return nullptr;
  }
  void wrong(std::string_view key, std::string_view wanted) {
    fail("field `" + std::string(key) + "` is not " + std::string(wanted));
  }
  void fail(std::string text) {
    if (!fault_) fault_ = std::move(text);
  }

  const Json& object_;
  std::optional<std::string> fault_;
};

}  // namespace portunus::server::cli
