#pragma once

#include "portal/quic/library.hpp"
#include "portal/quic/packet_batch.hpp"

namespace portunus::portal::quic {

/// How a packet of a path leaves.
PacketWay way_of(const ngtcp2_path& path);

/// The way that a connection's close goes.
struct ClosePath {
  PacketWay way;
};

}  // namespace portunus::portal::quic
