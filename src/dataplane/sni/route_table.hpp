#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace portunus::dataplane::sni {

/// Which member of a port gets a connection (SNI-6). Immutable once built; any thread.
class RouteTable {
 public:
  enum class Kind : std::uint8_t { exact, wildcard, fallback };
  struct Match {
    std::size_t member;
    Kind kind;
  };
  /// `patterns[i]` is member i's canonical pattern, nothing for the fallback. Nothing when two
  /// members have the same pattern or two have none.
  static std::optional<RouteTable> build(std::span<const std::optional<std::string>> patterns);

  /// Exact name, then wildcards by longest suffix where `*` is exactly one label, then the
  /// fallback. An empty name can only match the fallback. No allocation.
  std::optional<Match> find(std::string_view server_name) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  using Names = std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>>;
  Names exact_;
  /// Keyed by what follows the "*.".
  Names wildcard_;
  std::optional<std::size_t> fallback_;
};

/// "exact", "wildcard", "fallback".
std::string_view kind_name(RouteTable::Kind kind);

}  // namespace portunus::dataplane::sni
