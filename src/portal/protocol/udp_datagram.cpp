#include "portal/protocol/udp_datagram.hpp"

#include <algorithm>

#include "portal/protocol/errc.hpp"
#include "portal/protocol/target.hpp"

namespace portunus::portal::protocol {
namespace {

/// Big-endian, as everything on this wire.
void put(std::uint8_t*& at, std::uint64_t value, unsigned width) {
  for (unsigned left = width; left > 0; --left) {
    *at++ = static_cast<std::uint8_t>(value >> (8U * (left - 1)));
  }
}

}  // namespace

std::size_t encode_datagram_header(const Spec& spec, DatagramType type, std::uint64_t flow_id,
                                   std::string_view target, std::span<std::uint8_t> out) {
  std::uint8_t* at = out.data();
  for (const UdpField field : spec.udp_order()) {
    switch (field) {
      case UdpField::version:
        put(at, kWireVersion, 1);
        break;
      case UdpField::type:
        put(at, static_cast<std::uint8_t>(type), 1);
        break;
      case UdpField::flow_id:
        put(at, flow_id, 8);
        break;
      case UdpField::target:
        put(at, target.size(), 2);
        at = std::copy(target.begin(), target.end(), at);
        break;
    }
  }
  return static_cast<std::size_t>(at - out.data());
}

Result<DatagramView> decode_datagram(const Spec& spec, Bytes datagram) {
  if (datagram.size() < kMinDatagramHeader) return fail(Errc::short_datagram);
  DatagramView view;
  bool overrun = false;
  const auto take = [&datagram, &overrun](std::size_t width) -> std::uint64_t {
    overrun = overrun || datagram.size() < width;
    if (overrun) return 0;
    std::uint64_t value = 0;
    for (const std::uint8_t byte : datagram.first(width)) value = value << 8U | byte;
    datagram = datagram.subspan(width);
    return value;
  };
  std::uint64_t version = 0, type = 0;
  for (const UdpField field : spec.udp_order()) {
    switch (field) {
      case UdpField::version:
        version = take(1);
        break;
      case UdpField::type:
        type = take(1);
        break;
      case UdpField::flow_id:
        view.flow_id = take(8);
        break;
      case UdpField::target: {
        const std::size_t size = take(2);
        if (overrun || size > datagram.size()) return fail(Errc::short_datagram);
        view.target = {reinterpret_cast<const char*>(datagram.data()), size};
        datagram = datagram.subspan(size);
        break;
      }
    }
  }
  if (overrun) return fail(Errc::short_datagram);
  if (version != kWireVersion) return fail(Errc::bad_version);
  if (type < 1 || type > 3) return fail(Errc::bad_datagram_type);
  if (auto good = check_target(view.target); !good) return fail(good.error());
  view.type = static_cast<DatagramType>(type);
  view.payload = datagram;
  return view;
}

}  // namespace portunus::portal::protocol
