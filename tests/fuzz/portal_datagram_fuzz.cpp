// The header of the Portal's UDP datagrams: what is taken is what is written.

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "portal/protocol/target.hpp"
#include "portal/protocol/udp_datagram.hpp"
#include "tests/fuzz/fuzz_target.hpp"
#include "tests/fuzz/portal_specs.hpp"

namespace protocol = portunus::portal::protocol;

PORTUNUS_FUZZ_TARGET(portal_datagram)(portunus::fuzz::Input input) {
  const auto [spec, bytes] = portunus::fuzz::pick_spec(input);
  const auto view = protocol::decode_datagram(spec, bytes);
  if (!view) return;
  FUZZ_CHECK(protocol::check_target(view->target).has_value());
  const std::size_t size = protocol::datagram_header_size(view->target.size());
  FUZZ_CHECK(size + view->payload.size() == bytes.size());
  FUZZ_CHECK(std::ranges::equal(view->payload, bytes.subspan(size)));

  std::array<std::uint8_t, protocol::kMinDatagramHeader + protocol::kMaxTarget> header;
  FUZZ_CHECK(protocol::encode_datagram_header(spec, view->type, view->flow_id, view->target,
                                              header) == size);
  FUZZ_CHECK(std::ranges::equal(std::span(header).first(size), bytes.first(size)));
  // No shorter piece of it is a datagram with the same target and a header.
  FUZZ_CHECK(!protocol::decode_datagram(spec, bytes.first(size - 1)));
}
