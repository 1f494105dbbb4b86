#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/clock.hpp"
#include "common/base/rfc3339.hpp"

namespace portunus::server::http::api {

// How the answers write their JSON: keys in the order of the contract, invalid UTF-8 of a peer
// replaced.

using AnswerJson = nlohmann::ordered_json;

inline std::string write(const AnswerJson& json) {
  return json.dump(-1, ' ', false, AnswerJson::error_handler_t::replace);
}

/// A list that is written element by element, so that others can run in between.
class ListText {
 public:
  void add(std::string_view element) {
    if (text_.size() > 1) text_ += ',';
    text_ += element;
  }
  std::string finish() && {
    text_ += ']';
    return std::move(text_);
  }

 private:
  std::string text_ = "[";
};
/// How many objects are made at a time: a millisecond's work.
inline constexpr std::size_t kObjectsPerPart = 64;

inline AnswerJson time_or_null(const std::optional<SystemTime>& time) {
  return time ? AnswerJson(format_rfc3339(*time)) : AnswerJson(nullptr);
}

inline AnswerJson text_or_null(const std::optional<std::string>& text) {
  return text ? AnswerJson(*text) : AnswerJson(nullptr);
}

}  // namespace portunus::server::http::api
