#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "server/store/audit_store.hpp"
#include "server/store/store.hpp"

namespace portunus::server::audit {

inline constexpr std::int64_t kDefaultLimit = 100;
inline constexpr std::int64_t kMostLimit = 1000;

/// A query as it was asked, not yet judged (http-api 12).
struct PageQuery {
  std::optional<std::int64_t> limit = {};
  std::optional<std::string> outcome = {};
  std::optional<std::string> since = {};
  std::optional<std::string> until = {};
  std::optional<std::string> cursor = {};

  /// Whether the answer is an envelope rather than a bare array.
  bool paged() const { return since || until || cursor; }
};

struct Page {
  std::vector<store::AuditRow> entries;    ///< newest first
  std::optional<std::string> next_cursor;  ///< set when more entries match
};

/// Judges the query in the order of http-api 12 and reads its page. audit::Errc, or a store error.
async::Task<Result<Page>> read_page(store::Store& store, PageQuery query);

/// The opaque form of a sequence: base64url of its digits, unpadded.
std::string encode_cursor(std::int64_t sequence);
/// Errc::invalid_cursor for what encode_cursor() cannot have made.
Result<std::int64_t> decode_cursor(const std::string& text);

}  // namespace portunus::server::audit
