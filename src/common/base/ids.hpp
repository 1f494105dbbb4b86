#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace portunus {

/// A number that cannot be mixed up with another kind of id.
template <class Tag>
struct StrongId {
  std::uint64_t value = 0;
  friend auto operator<=>(const StrongId&, const StrongId&) = default;
};

/// Server-assigned, ascending from 1, never reused (control-wire 6.1).
using RuleId = StrongId<struct RuleIdTag>;
/// One control session of this server process; never travels.
using SessionId = StrongId<struct SessionIdTag>;

}  // namespace portunus

template <class Tag>
struct std::hash<portunus::StrongId<Tag>> {
  std::size_t operator()(const portunus::StrongId<Tag>& id) const noexcept {
    return std::hash<std::uint64_t>{}(id.value);
  }
};
