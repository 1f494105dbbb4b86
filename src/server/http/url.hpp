#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace portunus::server::http {

/// Bytes of a percent-encoded text; nothing on a "%" without two hex digits. `form` also turns "+"
/// into a space, as queries use it.
std::optional<std::string> percent_decode(std::string_view text, bool form = false);
/// Everything but RFC 3986 unreserved characters is escaped.
std::string percent_encode(std::string_view text);

/// The decoded pairs of a query string.
class Query {
 public:
  /// Nothing on broken escapes and on a key that is given twice: which one counts must not be a
  /// guess.
  static std::optional<Query> parse(std::string_view text);

  std::optional<std::string> get(std::string_view key) const;
  /// On for true, 1, yes (http-api 1).
  bool flag(std::string_view key) const;

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

}  // namespace portunus::server::http
