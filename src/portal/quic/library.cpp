#include "portal/quic/library.hpp"

#include <algorithm>
#include <array>

namespace portunus::portal::quic {
namespace {

/// Sizes of UDP payload that are tried, the first one first: Ethernet without and with PPPoE, and
/// what common tunnels leave of it.
constexpr std::array<std::uint16_t, 5> kProbesV4{1472, 1464, 1412, 1372, 1252};
constexpr std::array<std::uint16_t, 5> kProbesV6{1452, 1444, 1392, 1352, 1232};

/// The number of ids of the peer that are kept ready for migration.
constexpr std::uint64_t kSpareIds = 8;

}  // namespace

ngtcp2_settings library_settings(const Settings& settings, bool v6) {
  ngtcp2_settings out;
  ngtcp2_settings_default(&out);
  out.cc_algo = NGTCP2_CC_ALGO_BBR;
  out.initial_ts = library_now();
  const auto& probes = v6 ? kProbesV6 : kProbesV4;
  out.max_tx_udp_payload_size = probes.front();
  out.pmtud_probes = probes.data();
  out.pmtud_probeslen = probes.size();
  if (settings.handshake_timeout) {
    out.handshake_timeout = static_cast<ngtcp2_duration>(settings.handshake_timeout->count());
  }
  return out;
}

ngtcp2_transport_params transport_parameters(const Settings& settings, bool server) {
  ngtcp2_transport_params out;
  ngtcp2_transport_params_default(&out);
  out.initial_max_streams_bidi = settings.initial_streams;
  out.initial_max_streams_uni = 0;
  out.initial_max_data = settings.initial_data;
  out.initial_max_stream_data_bidi_local = server ? 0 : settings.stream_window;
  out.initial_max_stream_data_bidi_remote = server ? settings.stream_window : 0;
  out.initial_max_stream_data_uni = 0;
  out.max_idle_timeout = static_cast<ngtcp2_duration>(settings.idle_timeout.count());
  out.max_datagram_frame_size = settings.max_datagram_frame;
  out.active_connection_id_limit = kSpareIds;
  return out;
}

}  // namespace portunus::portal::quic
