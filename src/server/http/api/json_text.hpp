#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "common/base/clock.hpp"
#include "common/base/rfc3339.hpp"

namespace portunus::server::http::api {

// How the answers write their JSON: keys in the order of the contract, invalid UTF-8 of a peer
// replaced.

using AnswerJson = nlohmann::ordered_json;

inline std::string write(const AnswerJson& json) {
  return json.dump(-1, ' ', false, AnswerJson::error_handler_t::replace);
}

inline AnswerJson time_or_null(const std::optional<SystemTime>& time) {
  return time ? AnswerJson(format_rfc3339(*time)) : AnswerJson(nullptr);
}

inline AnswerJson text_or_null(const std::optional<std::string>& text) {
  return text ? AnswerJson(*text) : AnswerJson(nullptr);
}

}  // namespace portunus::server::http::api
