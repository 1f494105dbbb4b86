#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "server/http/api/errc.hpp"

namespace portunus::server::http::api {

/// Takes the keys of a request body out by type (http-api 1): unknown keys are ignored, null is an
/// absent key. The first fault of an object and of all that it holds is remembered, with the key's
/// path; reading goes on with empty values, so that decoders check once, in finish().
class ObjectReader {
 public:
  /// Errc::invalid_json for what is no JSON, Errc::invalid_body for what is no object.
  explicit ObjectReader(std::string_view body)
      : parsed_(nlohmann::json::parse(body.begin(), body.end(), nullptr, false)),
        object_(&parsed_),
        fault_(&own_fault_) {
    if (parsed_.is_discarded()) {
      fault_->emplace(Errc::invalid_json);
    } else if (!parsed_.is_object()) {
      fault_->emplace(Errc::invalid_body, "not an object");
    }
  }
  ObjectReader(const ObjectReader&) = delete;
  ObjectReader& operator=(const ObjectReader&) = delete;

  std::optional<std::string> text(const char* key) {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) return refuse(key, "must be a string");
    return value->get<std::string>();
  }
  std::optional<bool> flag(const char* key) {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_boolean()) return refuse(key, "must be true or false");
    return value->get<bool>();
  }
  template <class Int>
  std::optional<Int> integer(const char* key) {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number_integer()) return refuse(key, "must be an integer");
    const bool fits = value->is_number_unsigned() ? std::in_range<Int>(value->get<std::uint64_t>())
                                                  : std::in_range<Int>(value->get<std::int64_t>());
    if (!fits) return refuse(key, "is out of range");
    return value->get<Int>();
  }
  /// An integer that is none of Int's. One that 64 bits do not hold either has become a float by
  /// the time it is seen here. Such a float is whole, and that it may have been written with an
  /// exponent cannot be told any more.
  template <class Int>
  bool beyond(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr) return false;
    if (value->is_number_float()) {
      const double number = value->get<double>();
      return number >= 0x1p64 || number <= -0x1p63;
    }
    if (!value->is_number_integer()) return false;
    return value->is_number_unsigned() ? !std::in_range<Int>(value->get<std::uint64_t>())
                                       : !std::in_range<Int>(value->get<std::int64_t>());
  }
  std::optional<std::vector<std::string>> texts(const char* key) {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    const bool right = value->is_array() && std::ranges::all_of(*value, [](const Json& item) {
                         return item.is_string();
                       });
    if (!right) return refuse(key, "must be an array of strings");
    return value->get<std::vector<std::string>>();
  }
  /// Present with any value but null.
  bool present(const char* key) { return find(key) != nullptr; }
  /// What `decode` (ObjectReader& -> T) makes of the object under the key.
  template <class Decode>
  auto object(const char* key, Decode decode)
      -> std::optional<std::invoke_result_t<Decode, ObjectReader&>> {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_object()) return refuse(key, "must be an object");
    ObjectReader inner(*value, path_ + key + ".", fault_);
    return decode(inner);
  }
  /// The same for every object of an array.
  template <class Decode>
  auto objects(const char* key, Decode decode)
      -> std::optional<std::vector<std::invoke_result_t<Decode, ObjectReader&>>> {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_array()) return refuse(key, "must be an array");
    std::vector<std::invoke_result_t<Decode, ObjectReader&>> out;
    for (const Json& item : *value) {
      const std::string at = std::string(key) + "[" + std::to_string(out.size()) + "]";
      if (!item.is_object()) return refuse(at.c_str(), "must be an object");
      ObjectReader inner(item, path_ + at + ".", fault_);
      out.push_back(decode(inner));
    }
    return out;
  }
  template <class T>
  T required(const char* key, std::optional<T> value) {
    if (!value) refuse(key, "is missing");
    return std::move(value).value_or(T{});
  }

  /// The first fault, or `value`.
  template <class T>
  Result<T> finish(T value) {
    if (*fault_) return fail(**fault_);
    return value;
  }

 private:
  using Json = nlohmann::json;

  ObjectReader(const Json& object, std::string path, std::optional<Error>* fault)
      : object_(&object), path_(std::move(path)), fault_(fault) {}

  const Json* find(const char* key) const {
    if (*fault_) return nullptr;
    const auto it = object_->find(key);
    return it == object_->end() || it->is_null() ? nullptr : &*it;
  }
  std::nullopt_t refuse(const char* key, const char* why) {
    if (!*fault_) fault_->emplace(Errc::invalid_body, path_ + key + " " + why);
    return std::nullopt;
  }

  Json parsed_;
  const Json* object_;
  std::string path_;
  std::optional<Error> own_fault_;
  std::optional<Error>* fault_;
};

}  // namespace portunus::server::http::api
