#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "common/async/task.hpp"
#include "common/async/yield.hpp"
#include "server/http/api/json_text.hpp"

namespace portunus::server::http::api {

/// The bare array of the rows (http-api 1, lists), each written by `json`. Others run between its
/// parts, so that a long list holds nobody up.
template <class Row>
async::Task<std::string> list_text(std::vector<Row> rows, std::string (*json)(const Row&)) {
  ListText text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0 && i % kObjectsPerPart == 0) co_await async::yield();
    text.add(json(rows[i]));
  }
  co_return std::move(text).finish();
}

}  // namespace portunus::server::http::api
