#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "portal/protocol/spec.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace portunus::fuzz {

/// The first byte of an input chooses one of the specs of the contract (portal 7), whose layouts
/// and paddings differ; the rest is what a peer sends. Without a byte: `auto` and nothing.
inline std::pair<const portal::protocol::Spec&, portal::protocol::Bytes> pick_spec(Input input) {
  using portal::protocol::Spec;
  static const std::array specs = {*Spec::derive("auto"), *Spec::derive("edge-a"),
                                   *Spec::derive("nightfall"), *Spec::derive("x"),
                                   *Spec::derive("spec-68")};
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  if (bytes.empty()) return {specs[0], {}};
  return {specs[bytes[0] % specs.size()], bytes.subspan(1)};
}

}  // namespace portunus::fuzz
