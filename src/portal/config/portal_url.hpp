#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.hpp"

namespace portunus::portal::config {

/// A URL cut into its parts (portal 2), nothing decoded or judged beyond the syntax.
class PortalUrl {
 public:
  /// Errc::bad_url.
  static Result<PortalUrl> parse(std::string_view text);

  const std::string& scheme() const { return scheme_; }  ///< lower case
  const std::string& userinfo() const { return userinfo_; }
  const std::string& host() const { return host_; }  ///< IPv6 without brackets
  /// As typed; nothing when there is none.
  const std::optional<std::string>& port() const { return port_; }

  /// The first parameter of that name in form mode: `+` is a space, foreign bytes are U+FFFD.
  std::optional<std::string> form(std::string_view name) const;
  /// The first parameter of that name in strict mode. Nothing inside: absent. An error: bytes that
  /// are not UTF-8, in the value or in a name before it.
  struct NotUtf8 {};
  std::expected<std::optional<std::string>, NotUtf8> strict(std::string_view name) const;

 private:
  Result<> read_authority(std::string_view authority);
  void read_query(std::string_view query);

  std::string scheme_;
  std::string userinfo_;
  std::string host_;
  std::optional<std::string> port_;
  std::vector<std::pair<std::string, std::string>> query_;
};

/// `%XX` decoded; a `%` without two hex digits stays.
std::string percent_decode(std::string_view text);
/// The same with `+` as a space and U+FFFD for what is not UTF-8.
std::string form_decode(std::string_view text);

}  // namespace portunus::portal::config
